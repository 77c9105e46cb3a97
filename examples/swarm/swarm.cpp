// SPDX-License-Identifier: BSL-1.0
// A swarm to watch: trackers that answer, that hang up, that refuse, that are deaf; peers that dial, ask, and dial again. Ctrl-C
// at any moment, or some seconds without one, and it stops, and everything is given back: the last line counts what is not.
// Usage: swarm [seconds]
#include <settle/asio/asio.hpp>
#include <settle/settle.hpp>

#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/signal_set.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <string>
#include <utility>

namespace {

using asio::ip::tcp;
using namespace std::chrono_literals;
using settle::handle_of, settle::use_handle;

// A thing to be counted: how many there are now, and how many there were.
struct tally {
  char const* name;
  long live = 0;
  long made = 0;
};
tally links{"links"};
tally tasks{"tasks"};
class counted {
 public:
  explicit counted(tally& t) : in_(&t) { ++t.live, ++t.made; }
  counted(counted&& o) noexcept : in_(std::exchange(o.in_, nullptr)) {}
  ~counted() {
    if (in_ != nullptr) --in_->live;
  }

 private:
  tally* in_;
};
struct connection {
  tcp::socket socket;
  counted here{links};
  explicit connection(tcp::socket s) : socket(std::move(s)) {}
};

tcp::endpoint anywhere() { return {asio::ip::address_v4::loopback(), 0}; }

class tracker {
 public:
  tracker(asio::io_context& io, settle::scope& under, bool hangs_up) : in_(io, anywhere()), under_(under), hangs_up_(hangs_up) {
    auto serve = [this] { return accept_all(); };
    under.spawn(serve);
  }
  tcp::endpoint where() const { return in_.local_endpoint(); }

 private:
  handle_of<void> accept_all() {
    counted const here(tasks);
    for (;;) {
      connection c(co_await in_.async_accept(use_handle));
      if (hangs_up_) continue;
      auto talk = [this, c = std::move(c)]() mutable { return answer(c); };
      under_.spawn(std::move(talk));
    }
  }
  handle_of<void> answer(connection& c) {
    counted const here(tasks);
    std::array<char, 64> in;
    co_await c.socket.async_read_some(asio::buffer(in), use_handle);
    co_await asio::async_write(c.socket, asio::buffer("peers", 5), use_handle);
  }

  tcp::acceptor in_;
  settle::scope& under_;
  bool hangs_up_;
};

class peer {
 public:
  long answers = 0;
  long failures = 0;

  peer(asio::io_context& io, settle::scope& under, tcp::endpoint where) : ex_(io.get_executor()), where_(std::move(where)) {
    auto live = [this] { return for_ever(); };
    under.spawn(live);
  }

 private:
  handle_of<void> for_ever() {
    counted const here(tasks);
    for (;;) {
      auto const answer = co_await settle::within(ask(), 300ms).as_outcome();
      ++(answer ? answers : failures);
      co_await settle::sleep(ex_, 20ms);  // and then it comes again
    }
  }
  handle_of<std::size_t> ask() {
    counted const here(tasks);
    connection c{tcp::socket(ex_)};
    co_await c.socket.async_connect(where_, use_handle);
    co_await asio::async_write(c.socket, asio::buffer("who is there?", 13), use_handle);
    std::array<char, 64> in;
    co_return co_await c.socket.async_read_some(asio::buffer(in), use_handle);
  }

  asio::any_io_executor ex_;
  tcp::endpoint where_;
};

// Nobody accepts, and the queue is full: what connects to it stays half-open.
class deaf_port {
 public:
  explicit deaf_port(asio::io_context& io) : in_(io), first_(io), second_(io) {
    in_.open(tcp::v4());
    in_.bind(anywhere());
    in_.listen(0);
    first_.connect(in_.local_endpoint());
    second_.async_connect(in_.local_endpoint(), [](asio::error_code) {});
  }
  tcp::endpoint where() const { return in_.local_endpoint(); }
  void close() { second_.close(); }

 private:
  tcp::acceptor in_;
  tcp::socket first_, second_;
};

class swarm {
 public:
  swarm(asio::io_context& io, settle::operation under)
      : ex_(io.get_executor()),
        all_(std::move(under), settle::on_failure::keep_going),
        good_(io, all_, false),
        rude_(io, all_, true),
        deaf_(io) {
    tcp::acceptor const gone(io, anywhere());
    tcp::endpoint const refusing = gone.local_endpoint();
    for (int i = 0; i != 8; ++i)
      for (tcp::endpoint const& where : {good_.where(), rude_.where(), refusing, deaf_.where()}) peers_.emplace_back(io, all_, where);
    auto show = [this] {
      auto print = [this](std::uint64_t tick) { report(tick); };
      return settle::interval(ex_, 200ms).each(print);
    };
    all_.spawn(show);
  }
  settle::subsystem parts() {
    return {.stop_accepting =
                [this] {
                  all_.close();
                  deaf_.close();
                },
            .root = all_.op()};
  }

 private:
  void report(std::uint64_t tick) const {
    long answers = 0;
    long failures = 0;
    for (peer const& p : peers_) answers += p.answers, failures += p.failures;
    std::printf("%3llu: %ld links and %ld tasks now, %ld answers, %ld failures so far\n", static_cast<unsigned long long>(tick), links.live,
                tasks.live, answers, failures);
    std::fflush(stdout);
  }

  asio::any_io_executor ex_;
  settle::scope all_;
  tracker good_, rude_;
  deaf_port deaf_;
  std::list<peer> peers_;
};

handle_of<bool> until_signal(asio::any_io_executor ex, asio::signal_set& sig, settle::shutdown_plan& stop, std::chrono::seconds time) {
  auto const why = co_await settle::race(sig.async_wait(use_handle), settle::sleep(ex, time));
  std::puts(why.index() == 0 ? "signal" : "time is over");
  auto report = stop.run(5s);
  for (;;) {  // a second signal: the next phase now
    auto const who = co_await settle::race(report, sig.async_wait(use_handle));
    if (who.index() == 0) break;
    stop.escalate();
  }
  auto const& r = co_await report;
  for (auto const& s : r.survivors)
    std::printf("still alive: %s %s, created at %s:%u\n", s.owner.c_str(), s.kind.c_str(), s.created.file_name(),
                static_cast<unsigned>(s.created.line()));
  co_return r.clean();
}

}  // namespace

int main(int argc, char** argv) {
  std::chrono::seconds const time(argc > 1 ? std::atoi(argv[1]) : 3);
  bool clean = false;
  {
    asio::io_context io;
    asio::signal_set sig(io, SIGINT, SIGTERM);
    settle::shutdown_plan stop(io.get_executor());
    swarm all(io, stop.root());
    stop.add("swarm", all.parts());
    auto done = until_signal(io.get_executor(), sig, stop, time);
    std::puts("running; Ctrl-C stops it");
    std::fflush(stdout);
    io.run();
    clean = std::move(done).wait().value();
  }
  std::printf("%ld links and %ld tasks were made, balance: %ld links, %ld tasks\n", links.made, tasks.made, links.live, tasks.live);
  return clean && links.live == 0 && tasks.live == 0 ? 0 : 1;
}
