// SPDX-License-Identifier: BSL-1.0
// A C callback API behind operations: libcurl's multi interface. Each transfer owns its easy handle, its body and its place
// in the multi handle; however it ends, they are given back in the reverse order, once curl has let go.
#include <asio/io_context.hpp>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "curl_loop.hpp"
#include "web.hpp"

namespace {

void say(char const* what, settle::outcome<std::string, std::error_code> const& out) {
  out.visit([&](std::string const& body) { std::printf("  %s: %s\n", what, body.c_str()); },
            [&](std::error_code const& e) { std::printf("  %s: %s error %d\n", what, e.category().name(), e.value()); },
            [&](settle::cancellation const& c) { std::printf("  %s: cancelled, %s\n", what, std::string(to_string(c.why)).c_str()); });
}

// One transfer after the other, so that their lines do not mix. Before the next one everything is given back.
class tour {
 public:
  explicit tour(asio::io_context& io) : server_(io), curl_(io.get_executor()) { next(); }

 private:
  void next() {
    switch (step_++) {
      case 0:
        return follow("a greeting", curl_.get({}, server_.url("/greeting")));
      case 1:
        return follow("not there", curl_.get({}, server_.url("/missing")));
      case 2:
        return cancelled_inside_a_curl_callback();
      case 3:
        return with_the_session();
      default:
        server_.stop();
    }
  }
  void follow(char const* what, settle::handle<fetch> h) {
    h.on_released([this] { next(); });
    std::move(h).on_done([what](auto&& out) { say(what, out); });
  }

  // cancel() inside curl's own callback, with half of the body there: all it runs is posted.
  void cancelled_inside_a_curl_callback() {
    auto h = curl_.get({}, server_.url("/endless"), [this] {
      running_.cancel(settle::cause::overload);
      std::puts("  cancelled inside curl's write callback");
    });
    running_ = h;
    follow("cut off", std::move(h));
  }

  // A transfer under somebody else's operation ends with that one.
  void with_the_session() {
    settle::resolver_of<void> session;
    auto owner = session.get_handle();
    auto h = curl_.get(owner, server_.url("/endless"), [op = settle::operation(owner)] { op.request_cancel(settle::cause::disconnect); });
    follow("its session goes", std::move(h));
    std::move(owner).detach();
    session_ = std::move(session);
    session_->on_cancel([this] { session_->cancel(); });
  }

  web server_;
  curl_loop curl_;
  settle::operation running_;
  std::optional<settle::resolver_of<void>> session_;
  int step_ = 0;
};

}  // namespace

int main() {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  {
    asio::io_context io;
    tour t(io);
    io.run();
    std::puts("nothing is left to do");
  }
  curl_global_cleanup();
}
