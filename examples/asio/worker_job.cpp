// SPDX-License-Identifier: BSL-1.0
// A worker-pool job whose result comes back to the io_context: as a coroutine, and as callbacks.
#include <settle/asio/asio.hpp>
#include <settle/settle.hpp>

#include <asio/io_context.hpp>
#include <asio/thread_pool.hpp>
#include <chrono>
#include <cstdio>
#include <latch>
#include <optional>
#include <source_location>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using settle::handle_of;
using io_executor = asio::io_context::executor_type;
using bytes = std::string;

struct image {
  std::string pixels;
};

// On a worker. Asked to stop it gives up, and says so: what it leaves with is the cancellation that was asked for.
image scale(bytes const& in, std::stop_token const& stop) {
  while (in == "endless" && !stop.stop_requested()) std::this_thread::yield();
  if (stop.stop_requested())
    throw settle::operation_cancelled(settle::cancellation(settle::cause::requested, std::source_location::current()));
  if (in.empty()) throw std::runtime_error("nothing to scale");
  return {in + in};
}

// What a client sends, piece by piece; empty at the end.
class request {
 public:
  explicit request(std::vector<bytes> pieces) : pieces_(std::move(pieces)) {}
  handle_of<bytes> read() {
    settle::resolver_of<bytes> r;
    auto h = r.get_handle();
    r.complete(next_ == pieces_.size() ? bytes() : bytes(pieces_[next_++]));
    return h;
  }

 private:
  std::vector<bytes> pieces_;
  std::size_t next_ = 0;
};

// As a coroutine: leaves the connection's executor, comes back to it by itself.
handle_of<int> thumbnail(io_executor ex, request& req, asio::thread_pool& workers, std::thread::id home) {
  bytes in;
  for (bytes b = co_await req.read(); !b.empty(); b = co_await req.read()) in += b;

  auto job = [&in](std::stop_token stop) { return scale(in, stop); };  // `in` by reference: the frame cannot die under the worker
  auto const limit = in == "endless" ? 10ms : 60'000ms;
  // via: on the connection's executor from here on, its timers included; with all workers busy none would fire there.
  auto img = co_await settle::within(settle::via(settle::start_on(workers.get_executor(), job), ex), limit).as_outcome();
  // Timed out: the token has fired, and we are here only after scale() has returned.
  std::printf("  back on the io_context: %s\n", std::this_thread::get_id() == home ? "yes" : "no");
  if (!img) co_return img.timed_out() ? 504 : 500;
  std::printf("  %s\n", img.value().pixels.c_str());
  co_return 200;
}

// Lives on the io_context, until its peer goes away.
class session {
 public:
  explicit session(io_executor const& ex) : life_(ex), handle_(life_.get_handle()), home_(std::this_thread::get_id()) {}
  settle::operation op() const { return handle_; }
  void show(image const& i) {
    std::printf("  shown on the io_context: %s, %s\n", home_ == std::this_thread::get_id() ? "yes" : "no", i.pixels.c_str());
  }
  void failed(settle::error const&) { std::puts("  failed"); }

 private:
  settle::resolver_of<void, settle::error, io_executor> life_;
  settle::handle<settle::plain<void, settle::error, io_executor>> handle_;
  std::thread::id home_;
};

// As callbacks: the session may die before the worker is done.
void start_thumbnail(session& s, asio::thread_pool& workers, bytes in, std::latch& begin) {
  auto job = [in = std::move(in), &begin](std::stop_token stop) {
    begin.wait();
    return scale(in, stop);
  };
  settle::start_on(workers.get_executor(), std::move(job))
      .on_done(settle::bound_to(s.op()), [&s](auto&& out) {  // only while the session lives
        out.visit([&](image const& i) { s.show(i); }, [&](settle::error const& e) { s.failed(e); }, [](auto const&) {});
      });
}

void run_coroutine(asio::thread_pool& workers, std::vector<bytes> pieces) {
  asio::io_context io;
  request req(std::move(pieces));
  auto answer = thumbnail(io.get_executor(), req, workers, std::this_thread::get_id());
  auto work = asio::make_work_guard(io);  // while the worker is at it
  answer.on_done([&work] { work.reset(); });
  io.run();
  std::printf("answer: %d\n", std::move(answer).wait().value());
}

void run_callbacks(bool stays) {
  std::printf("a session that %s\n", stays ? "stays" : "goes first");
  asio::thread_pool workers(1);
  asio::io_context io;
  std::latch begin(1);
  std::optional<session> s(std::in_place, io.get_executor());
  start_thumbnail(*s, workers, "xy", begin);
  if (!stays) s.reset();  // its peer went away
  begin.count_down();
  workers.join();
  io.run();
  s.reset();
  io.restart();
  io.run();  // nothing of either is left in the queue
}

}  // namespace

int main() {
  asio::thread_pool workers(1);
  run_coroutine(workers, {"ab", "cd"});
  run_coroutine(workers, {"endless"});
  run_coroutine(workers, {});
  run_callbacks(true);
  run_callbacks(false);
}
