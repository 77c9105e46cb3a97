// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_EXAMPLES_CURL_CURL_LOOP_HPP
#define SETTLE_EXAMPLES_CURL_CURL_LOOP_HPP

#include <curl/curl.h>
#include <settle/asio/asio.hpp>
#include <settle/settle.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <system_error>
#include <utility>

struct fetch : settle::default_policy {
  using value_type = std::string;
  using error_type = std::error_code;
  using executor_type = asio::any_io_executor;
  static constexpr bool dispatch = false;  // posted, always: cancel() may be called inside a curl callback
  static std::error_code make_error(settle::errc e) noexcept { return settle::make_error_code(e); }
};

inline std::error_code curl_error(CURLcode rc) noexcept {
  static struct category final : std::error_category {
    char const* name() const noexcept override { return "curl"; }
    std::string message(int c) const override { return curl_easy_strerror(static_cast<CURLcode>(c)); }
  } const instance;
  return {static_cast<int>(rc), instance};
}

/// libcurl's multi interface behind operations: one multi handle, driven by an executor that runs one thing at a time.
class curl_loop {
 public:
  explicit curl_loop(asio::any_io_executor ex) : ex_(std::move(ex)), timer_(ex_), multi_(curl_multi_init()) {
    if (multi_ == nullptr) throw std::bad_alloc();
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &curl_loop::on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &curl_loop::on_timer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  }
  curl_loop(curl_loop&&) = delete;
  /// Precondition: every operation is released.
  ~curl_loop() { curl_multi_cleanup(multi_); }

  /// On the executor. The body, or curl's error; cancelled, curl lets go of the transfer before anything is given back.
  /// `on_piece` is called inside curl's write callback.
  settle::handle<fetch> get(settle::operation who, std::string const& url, std::function<void()> on_piece = {}) {
    settle::resolver<fetch> r(std::move(who), ex_);
    auto h = r.get_handle();
    CURL* easy = r.own(curl_easy_init(), [](CURL* e) noexcept {  // typed; runs last
      std::puts("    easy handle cleaned up");
      curl_easy_cleanup(e);
    });
    auto& body = r.own(download{{}, std::move(on_piece)},  // a reference that holds while r lives
                       [](download&&) noexcept { std::puts("    body freed"); });
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &curl_loop::on_data);
    r.own(easy, [m = multi_](CURL* e) noexcept {  // runs first
      std::puts("    removed from the multi handle");
      curl_multi_remove_handle(m, e);
    });
    r.on_cancel([this, easy] { drop(easy); });  // on ex_: never from inside a curl callback
    auto* t = new transfer{std::move(r), &body.text};
    curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
    if (CURLMcode const rc = curl_multi_add_handle(multi_, easy); rc != CURLM_OK) claim(easy)->result.fail(curl_error(CURLE_FAILED_INIT));
    return h;
  }

 private:
  struct transfer {  // what the C side carries
    settle::resolver<fetch> result;
    std::string* body;
  };
  struct download {  // what curl writes to, as long as it has the easy handle
    std::string text;
    std::function<void()> on_piece;
  };
  using descriptor = asio::posix::stream_descriptor;
  struct watch {
    descriptor fd;
    int wanted = 0;
    bool reading = false;
    bool writing = false;
    explicit watch(asio::any_io_executor const& ex, curl_socket_t s) : fd(ex, s) {}
  };

  void finished(CURL* easy, CURLcode rc) {  // from curl_multi_info_read
    auto t = claim(easy);
    if (t == nullptr) return;
    if (rc == CURLE_OK) t->result.complete(std::move(*t->body));
    else t->result.fail(curl_error(rc));
  }  // ~resolver: last pin; remove, body, cleanup, in that order
  void drop(CURL* easy) { claim(easy); }  // cancelled: curl has let go, so the cleanups may run
  static std::unique_ptr<transfer> claim(CURL* easy) {
    char* p = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &p);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, nullptr);
    return std::unique_ptr<transfer>(static_cast<transfer*>(static_cast<void*>(p)));
  }

  static std::size_t on_data(char* p, std::size_t n, std::size_t m, void* to) {
    auto& body = *static_cast<download*>(to);
    body.text.append(p, n * m);
    if (body.on_piece) body.on_piece();
    return n * m;
  }

  // -- curl's sockets and its timer, on Asio ------------------------------------------------------------------------------
  static int on_socket(CURL* easy, curl_socket_t s, int what, void* self, void*) {
    static_cast<curl_loop*>(self)->watch_socket(easy, s, what);
    return 0;
  }
  static int on_timer(CURLM*, long ms, void* self) {
    static_cast<curl_loop*>(self)->set_timer(ms);
    return 0;
  }

  void watch_socket(CURL*, curl_socket_t s, int what) {
    auto const at = watches_.find(s);
    if (what == CURL_POLL_REMOVE) {
      if (at == watches_.end()) return;
      at->second->fd.release();  // curl closes it
      watches_.erase(at);
      return;
    }
    auto const w = at != watches_.end() ? at->second : watches_.emplace(s, std::make_shared<watch>(ex_, s)).first->second;
    w->wanted = what;
    wait(w, s);
  }
  void wait(std::shared_ptr<watch> const& w, curl_socket_t s) {
    if ((w->wanted & CURL_POLL_IN) != 0 && !std::exchange(w->reading, true))
      w->fd.async_wait(descriptor::wait_read, [this, w, s](asio::error_code e) {
        w->reading = false;
        if (!e) act(w, s, CURL_CSELECT_IN);
      });
    if ((w->wanted & CURL_POLL_OUT) != 0 && !std::exchange(w->writing, true))
      w->fd.async_wait(descriptor::wait_write, [this, w, s](asio::error_code e) {
        w->writing = false;
        if (!e) act(w, s, CURL_CSELECT_OUT);
      });
  }
  void act(std::shared_ptr<watch> const& w, curl_socket_t s, int ready) {
    auto const still = [&] { return watches_.contains(s) && watches_.at(s) == w; };
    if (still()) run(s, ready);
    if (still()) wait(w, s);
  }
  void set_timer(long ms) {
    timer_.cancel();
    if (ms < 0) return;
    timer_.expires_after(std::chrono::milliseconds(ms));
    timer_.async_wait([this](asio::error_code e) {
      if (!e) run(CURL_SOCKET_TIMEOUT, 0);
    });
  }
  void run(curl_socket_t s, int ready) {
    int running = 0;
    curl_multi_socket_action(multi_, s, ready, &running);
    int left = 0;
    while (CURLMsg* const m = curl_multi_info_read(multi_, &left))
      if (m->msg == CURLMSG_DONE) finished(m->easy_handle, m->data.result);
  }

  asio::any_io_executor ex_;
  asio::steady_timer timer_;
  CURLM* multi_;
  std::map<curl_socket_t, std::shared_ptr<watch>> watches_;
};

#endif
