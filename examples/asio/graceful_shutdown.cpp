// SPDX-License-Identifier: BSL-1.0
// A server of three subsystems that stops in order: no new requests, the ones in flight are finished, then the mails that they
// wrote are sent, then the database goes. A second signal means: the next phase now.
#include <settle/asio/asio.hpp>
#include <settle/settle.hpp>

#include <asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

namespace {

using namespace std::chrono_literals;
using settle::handle_of;
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

// The signals of this example come from a timer; a program waits for asio::signal_set instead.
handle_of<int> until_signal(executor ex, settle::shutdown_plan& stop, subsystem& web) {
  co_await settle::sleep(ex, 20ms);
  std::puts("first signal");
  auto report = stop.run(60s);  // shared: every caller gets the same report
  co_await settle::sleep(ex, 30ms);
  if (!web.take("late request", 1ms)) std::puts("late request: refused");
  co_await settle::sleep(ex, 50ms);
  std::puts("second signal");
  stop.escalate();
  auto const& r = co_await report;
  for (auto const& s : r.survivors) std::printf("still alive: %s %s\n", s.owner.c_str(), s.kind.c_str());
  co_return r.clean() ? 0 : 1;
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
  auto code = until_signal(ex, stop, web);
  io.run();
  int const result = std::move(code).wait().value();
  std::puts(result == 0 ? "clean" : "not clean");
  return result;
}
