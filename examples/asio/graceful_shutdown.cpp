// SPDX-License-Identifier: BSL-1.0
// A server of three subsystems that stops in order: no new requests, the ones in flight are finished, then the mails that they
// wrote are sent, then the database goes. A second signal means: the next phase now.
#include <settle/asio/asio.hpp>
#include <settle/settle.hpp>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>
#include <utility>

namespace {

using namespace std::chrono_literals;
using settle::handle_of, settle::use_handle;
using executor = asio::io_context::executor_type;

// What every subsystem here has: a scope under the plan's root, and work in it.
class subsystem {
 public:
  subsystem(executor ex, settle::operation under, char const* name)
      : ex_(ex), name_(name), work_(std::move(under), settle::on_failure::keep_going) {}

  // False: it stops, and takes nothing any more.
  bool take(std::string what, std::chrono::milliseconds time) {
    auto job = [this, what = std::move(what), time] { return run(what, time); };
    auto w = work_.spawn(std::move(job));
    return !w.is_settled();
  }
  settle::subsystem parts() {
    return {.stop_accepting = [this] { work_.close(); }, .drain = [this] { return work_.join(); }, .root = work_.op()};
  }

 private:
  handle_of<void> run(std::string what, std::chrono::milliseconds time) {
    struct says_goodbye {  // on every path
      char const* name;
      std::string const& what;
      bool done = false;
      ~says_goodbye() { std::printf("%s: %s %s\n", name, what.c_str(), done ? "done" : "cancelled"); }
    } end{name_, what};
    co_await settle::sleep(ex_, time);
    end.done = true;
  }

  executor ex_;
  char const* name_;
  settle::scope work_;
};

handle_of<int> until_signal(executor, asio::signal_set& sig, settle::shutdown_plan& stop) {
  co_await sig.async_wait(use_handle);
  std::puts("first signal");
  auto report = stop.run(60s);                                                   // shared: every caller gets the same report
  for (;;) {                                                                     // a second Ctrl-C: the next phase now, not "kill -9"
    auto const who = co_await settle::race(report, sig.async_wait(use_handle));  // the report is watched, the wait is adopted
    if (who.index() == 0) break;
    std::puts("second signal");
    stop.escalate();
  }
  auto const& r = co_await report;
  for (auto const& s : r.survivors)
    std::printf("still alive: %s %s, created at %s:%u\n", s.owner.c_str(), s.kind.c_str(), s.created.file_name(),
                static_cast<unsigned>(s.created.line()));
  co_return r.clean() ? 0 : 1;
}

// Whoever sits at the keyboard, and a client who comes too late.
handle_of<void> impatient_user(executor ex, subsystem& web) {
  co_await settle::sleep(ex, 20ms);
  std::raise(SIGINT);
  co_await settle::sleep(ex, 30ms);
  if (!web.take("late request", 1ms)) std::puts("late request: refused");
  co_await settle::sleep(ex, 50ms);
  std::raise(SIGINT);
}

}  // namespace

int main() {
  asio::io_context io;
  auto ex = io.get_executor();
  settle::shutdown_plan stop(ex);
  subsystem db(ex, stop.root(), "db");
  subsystem mail(ex, stop.root(), "mail");
  subsystem web(ex, stop.root(), "web");
  stop.add("db", db.parts()).add("mail", mail.parts()).add("web", web.parts());  // web is stopped first: added last

  web.take("short request", 40ms);
  mail.take("newsletter", 1h);  // nobody waits for that
  db.take("checkpoint", 10ms);
  asio::signal_set sig(io, SIGINT, SIGTERM);
  auto code = until_signal(ex, sig, stop);
  auto user = impatient_user(ex, web);
  io.run();
  int const result = std::move(code).wait().value();
  std::puts(result == 0 ? "clean" : "not clean");
  return result;
}
