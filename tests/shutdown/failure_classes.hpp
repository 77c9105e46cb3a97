// SPDX-License-Identifier: BSL-1.0
// Not guarded: included once by each file that says what `network` is.
// The failure classes F1 to F19 of a program of connections and timers: each is reproduced on real sockets, and what keeps it
// from happening, or tells of it, is seen at work. The fixture finds the balance: zero, exactly.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "protocols.hpp"
#include "swarm.hpp"

namespace {

using namespace std::chrono_literals;
using settle::cause;
using settle::errc;
using settle::handle_of;
using test::bad_port;
using test::link_count;
using test::no_descriptors;
using test::read_buffer;
using link = network::link;
using executor = network::executor;
using tracker = test::tracker<network>;
using peer = test::peer<network>;
/// Asio's codes do not compare with std::errc, and libuv's are negative.
int number_of(settle::error const& e) { return std::abs(e.code().value()); }
using on_net = settle::resolver_of<void, settle::error, executor>;

struct swarm : test::swarm_test<network> {
  /// Both ends of a connection.
  std::pair<link, link> pair() {
    network::listener in(net());
    auto there = in.accept();
    auto here = net().dial(in.port());
    run_until([&] { return here.is_released() && there.is_released(); });
    return {std::move(here).wait().value(), std::move(there).wait().value()};
  }
  template <class F>
  void run_until(F done) {
    while (!done()) net().step();
  }
};

/// A resource in C's manner, whose closer must be its own.
struct c_timer {
  static inline int open = 0;
  static inline int closed = 0;
  static void close(c_timer* t) noexcept {
    --open, ++closed;
    delete t;
  }
  c_timer() { ++open; }
};

TEST_F(swarm, F01_the_closer_of_its_type_ends_it_and_the_report_names_what_was_forgotten) {
  c_timer::closed = 0;
  settle::shutdown_plan stop(ex());
  on_net forgotten(stop.root(), ex());
  unsigned const line = __LINE__ - 1;
  forgotten.own(new c_timer, &c_timer::close);
  stop.add("timers", {.root = forgotten.op()});
  auto report = stop.run(4ms);
  run_until([&] { return report.is_settled(); });
  auto const& survivors = report.peek()->value().survivors;
  ASSERT_FALSE(survivors.empty());
  EXPECT_EQ(survivors.front().owner, "timers");
  EXPECT_EQ(survivors.front().created.line(), line);
  EXPECT_EQ(c_timer::open, 1) << "not under the producer that may still use it";
  {
    on_net const gone = std::move(forgotten);
  }
  net().run();
  EXPECT_EQ(c_timer::open, 0);
  EXPECT_EQ(c_timer::closed, 1);
}

TEST_F(swarm, F02_what_is_stopped_is_closed_also_before_its_owner_goes) {
  auto timer = settle::sleep(ex(), 1h);
  auto [here, there] = pair();
  auto reading = here.read();
  net().step();
  timer.request_cancel();
  reading.request_cancel();
  net().run();  // returns: nothing is left armed
  EXPECT_TRUE(timer.is_released());
  EXPECT_TRUE(reading.is_released());
  EXPECT_EQ(read_buffer::live, 0);
}

TEST_F(swarm, F03_what_is_made_in_a_callback_belongs_to_the_session_too) {
  settle::scope session(ex());
  std::optional<settle::watcher_of<void>> late;
  auto later = [&] { return settle::sleep(ex(), 1h); };
  auto first = [&] { return settle::sleep(ex(), 0ms); };
  session.spawn(first).on_done([&] { late = session.spawn(later); });
  run_until([&] { return late.has_value(); });
  EXPECT_FALSE(late->is_settled());
  session.op().request_cancel(cause::shutdown);
  net().run();
  EXPECT_TRUE(late->is_released());
  EXPECT_TRUE(session.op().is_released());
}

TEST_F(swarm, F04_connects_that_have_only_begun_are_in_the_scope) {
  bad_port const deaf(bad_port::deaf);
  settle::scope connecting(ex());
  std::vector<settle::watcher_of<link>> all;
  for (int i = 0; i != 200; ++i) {
    auto dial = [&] { return net().dial(deaf.number()); };
    all.push_back(connecting.spawn(dial));
  }
  net().step();
  for (auto const& w : all) EXPECT_FALSE(w.is_settled()) << "half-open";
  connecting.op().request_cancel(cause::shutdown);
  net().run();
  for (auto const& w : all) EXPECT_TRUE(w.is_released() && w.peek()->is_cancelled());
  EXPECT_TRUE(connecting.op().is_released());
}

TEST_F(swarm, F05_a_failure_frees_what_success_would_have) {
  bad_port const refusing(bad_port::refusing);
  bad_port const deaf(bad_port::deaf);
  std::vector<handle_of<link>> dialled;
  {
    no_descriptors const none;
    for (int i = 0; i != 50; ++i) dialled.push_back(net().dial(refusing.number()));
    net().run();
  }
  for (auto& h : dialled) EXPECT_EQ(number_of(std::move(h).wait().error()), EMFILE) << "failed before it began";
  for (auto& h : dialled) h = net().dial(refusing.number());
  net().run();
  for (auto& h : dialled) EXPECT_EQ(number_of(std::move(h).wait().error()), ECONNREFUSED);
  for (auto& h : dialled) h = settle::within(net().dial(deaf.number()), 1ms);
  net().run();
  for (auto& h : dialled) EXPECT_TRUE(std::move(h).wait().timed_out());
  EXPECT_EQ(link_count::live, 0);
}

struct sink {
  static inline int live = 0;
  sink() { ++live; }
  virtual ~sink() { --live; }
  virtual void close() {}  // trivial, and may be
};
struct file_sink : sink {
  std::string path = "a name that is longer than what a string keeps inside";
};

TEST_F(swarm, F06_releasing_frees_the_insides_and_then_the_container) {
  on_net session(ex());
  std::unique_ptr<sink>& kept = session.own(std::unique_ptr<sink>(std::make_unique<file_sink>()));
  kept->close();
  auto [here, there] = pair();
  link& inside = session.own(std::move(here));
  auto const said = inside.write("piece");
  EXPECT_EQ(sink::live, 1);
  session.complete();
  net().run();
  EXPECT_EQ(sink::live, 0);
  EXPECT_EQ(link_count::live, 1) << "the other end";
}

struct payload : test::counted_thing<struct payload_tag> {
  std::string text;
  explicit payload(std::string t) : text(std::move(t)) {}
};
using owned = std::unique_ptr<payload>;

TEST_F(swarm, F07_a_payload_has_one_owner_whatever_the_callback_does) {
  static_assert(!std::is_copy_constructible_v<handle_of<owned>>, "two would free it");
  auto [here, there] = pair();
  auto wrap = [](std::string const& s) { return std::make_unique<payload>(s); };
  owned stored;
  auto store = [&](settle::outcome<owned>&& o) { stored = std::move(o).value(); };
  auto forget = [](settle::outcome<owned>&&) {};
  auto next = [&] { return here.read() | settle::then(wrap); };
  auto send = [&, other = &there](handle_of<owned> h, auto f) {
    auto const op = settle::operation(h);
    std::move(h).on_done(f);
    auto said = other->write("a block");
    run_until([&] { return op.is_released() && said.is_released(); });
  };
  send(next(), store);
  EXPECT_EQ(stored->text, "a block");
  EXPECT_EQ(payload::live, 1);
  stored.reset();
  send(next(), forget);
  EXPECT_EQ(payload::live, 0);

  auto nobody = next();
  nobody.request_cancel();
  net().run();
  EXPECT_TRUE(nobody.is_released());
  settle::resolver_of<owned> twice;
  auto h = twice.get_handle();
  owned second = std::make_unique<payload>("second");
  h.cancel();
  EXPECT_FALSE(twice.complete(std::move(second)));
  EXPECT_NE(second, nullptr) << "refused: it is still ours, and freed once";
}

/// Connections by number: nobody but it erases one. Events carry the number.
struct table {
  on_net life;
  std::map<int, link> links;
  std::vector<int> events;

  explicit table(executor e) : life(e) {}
  ~table() { life.complete(); }
  void watch(int id) {
    links.at(id).read().on_done(settle::bound_to(life.op()), [this, id](settle::outcome<std::string>&&) {
      events.push_back(id);
      links.erase(id);
    });
  }
};

TEST_F(swarm, F08_only_the_owner_erases_and_a_close_during_its_teardown_finds_no_dangling_back_pointer) {
  std::vector<link> others;
  auto peers = std::make_unique<table>(ex());
  for (int i = 0; i != 3; ++i) {
    auto [here, there] = pair();
    peers->links.emplace(i, std::move(here));
    others.push_back(std::move(there));
    peers->watch(i);
  }
  others.erase(others.begin() + 1);
  run_until([&] { return !peers->events.empty(); });
  EXPECT_EQ(peers->events, std::vector{1});
  EXPECT_EQ(peers->links.size(), 2u);
  others.clear();  // their close events are on their way
  peers.reset();
  net().run();
  EXPECT_EQ(link_count::live, 0);
}

TEST_F(swarm, F09_while_it_runs_and_when_it_stops_there_is_one_way_to_release) {
  settle::scope all(ex(), settle::on_failure::keep_going);
  tracker rude(net(), all);
  rude.hangs_up = true;
  peer p(net(), all, rude.port());
  run_until([&] { return p.rounds == 5; });
  long const steady = link_count::live;
  long const made = link_count::made;
  run_until([&] { return p.rounds == 60; });
  EXPECT_GE(link_count::made - made, 50);
  EXPECT_LE(link_count::live, steady + 2) << "each is gone before the next but one comes";
  all.op().request_cancel(cause::shutdown);
  net().run();
  EXPECT_TRUE(all.op().is_released());
  EXPECT_EQ(link_count::live, 0);
}

/// What holds of every protocol, and is said once. An exchange is done, repeated, refused, and given up at each half of it.
template <class Protocol>
void conforms(swarm& s, network& n) {
  settle::scope all(n.get_executor(), settle::on_failure::keep_going);
  typename Protocol::server good(n, all), forgetful(n, all), silent(n, all), halting(n, all);
  forgetful.how = test::manners::loses_the_first;
  silent.how = test::manners::is_silent;
  halting.how = test::manners::answers_by_half;
  bad_port const refusing(bad_port::refusing);
  bad_port const deaf(bad_port::deaf);
  auto ask = [&n](std::uint16_t port, std::chrono::milliseconds patience, unsigned times) {
    auto of_one = [&n, port, patience, times] { return test::announce<Protocol>(n, port, patience, times); };
    return settle::start_on(n.get_executor(), of_one);
  };
  auto answered = ask(good.port(), 1h, 1);
  auto repeated = ask(forgetful.port(), 50ms, 100);
  auto refused = ask(refusing.number(), 1ms, 2);
  auto cut_off = ask(halting.port(), 1ms, 2);
  s.run_until([&] { return answered.is_released() && repeated.is_released() && refused.is_released() && cut_off.is_released(); });
  EXPECT_EQ(std::move(answered).wait().value(), "peers");
  EXPECT_EQ(good.heard, 1);
  EXPECT_EQ(std::move(repeated).wait().value(), "peers");
  EXPECT_GE(forgetful.heard, 2);
  EXPECT_TRUE(std::move(refused).wait().has_error());
  EXPECT_TRUE(std::move(cut_off).wait().timed_out());

  typename Protocol::server stalling(n, all);  // one that has heard nothing yet
  stalling.how = test::manners::answers_by_half;
  auto unanswered = ask(silent.port(), 1h, 1);
  auto half_answered = ask(stalling.port(), 1h, 1);
  auto unheard = ask(deaf.number(), 1h, 1);
  auto dropped = ask(silent.port(), 1h, 1);
  auto left = ask(stalling.port(), 1h, 1);
  s.run_until([&] { return silent.heard == 2 && stalling.heard == 2; });
  EXPECT_FALSE(unanswered.is_settled() || half_answered.is_settled() || unheard.is_settled() || dropped.is_settled());
  for (auto* h : {&unanswered, &half_answered, &unheard}) h->request_cancel(cause::shutdown);
  settle::operation const of_dropped = dropped;
  dropped = {};
  s.run_until([&] { return unanswered.is_released() && half_answered.is_released() && unheard.is_released() && of_dropped.is_released(); });
  for (auto* h : {&unanswered, &half_answered, &unheard}) EXPECT_EQ(std::move(*h).wait().cancel().why, cause::shutdown);
  EXPECT_FALSE(left.is_settled()) << "its neighbours' ends are nothing to it";

  all.op().request_cancel(cause::shutdown);  // the servers go first, in the middle of it
  s.run_until([&] { return all.op().is_released(); });
  left.request_cancel();
  n.run();
  EXPECT_TRUE(left.is_released());
  EXPECT_FALSE(std::move(left).wait().has_value());
}

TEST_F(swarm, F10_every_protocol_is_cleaned_up_by_the_same_code) {
  using by_datagrams = test::by_datagrams<network, datagrams>;
  using by_http = test::by_http<network>;
  for (auto const& of_one : {&conforms<by_datagrams>, &conforms<by_http>}) {
    of_one(*this, net());
    net().run();
    EXPECT_EQ(link_count::live, 0);
    EXPECT_EQ(read_buffer::live, 0);
  }
}

TEST_F(swarm, F11_what_is_acquired_once_is_used_and_released_once) {
  settle::scope all(ex(), settle::on_failure::keep_going);
  tracker good(net(), all);
  int acquires = 0;
  int releases = 0;
  auto acquire = [&] {
    ++acquires;
    return net().dial(good.port());
  };
  auto release = [&](link) { ++releases; };
  auto parse = [&](link& l) { return l.write("piece"); };
  auto fails = [&](link&) { return settle::failed(std::make_error_code(std::errc::protocol_error)); };
  auto hangs = [&](link& l) { return l.read(); };
  auto ok = settle::bracket(acquire, parse, release);
  auto bad = settle::bracket(acquire, fails, release);
  auto stopped = settle::bracket(acquire, hangs, release);
  run_until([&] { return ok.is_released() && bad.is_released() && good.accepted == 3; });
  stopped.request_cancel();
  all.op().request_cancel();
  net().run();
  EXPECT_TRUE(std::move(ok).wait().has_value());
  EXPECT_EQ(std::move(bad).wait().error().code(), std::errc::protocol_error);
  EXPECT_TRUE(std::move(stopped).wait().is_cancelled());
  EXPECT_EQ(acquires, 3);
  EXPECT_EQ(releases, 3);
}

TEST_F(swarm, F12_what_is_only_made_and_destroyed_is_balanced_too) {
  {
    on_net root(ex());
    test::whole_swarm<network> all(net(), root.op());
    run_until([&] { return all.first.answers > 0; });
    root.op().request_cancel(cause::shutdown);
    run_until([&] { return all.all.op().is_released(); });
  }
  {
    bad_port const deaf(bad_port::deaf);
    settle::scope all(ex());
    auto [here, there] = pair();
    auto reading = here.read();
    auto connecting = net().dial(deaf.number());
    auto sleeping = settle::sleep(ex(), 1h);
    auto sleep_too = [&] { return settle::sleep(ex(), 1h); };
    all.spawn(sleep_too);
    run_until([] { return read_buffer::live == 1; });
  }
  net_.reset();  // nobody ran it
}

/// Asks on behalf of somebody who may be gone when the answer comes.
struct manager {
  on_net life;
  std::string last;
  std::array<char, 256> room{};  // for the sanitizer to see it touched

  explicit manager(executor e) : life(e) {}
  ~manager() { life.complete(); }
  void hear(link& l) {
    l.read().on_done(settle::bound_to(life.op()), [this](settle::outcome<std::string>&& o) {
      last = std::move(o).value();
      room[0] = last[0];
    });
  }
};

TEST_F(swarm, F13_a_callback_that_comes_late_finds_its_owner_or_is_withdrawn) {
  auto [here, there] = pair();
  auto m = std::make_unique<manager>(ex());
  m->hear(here);
  auto first = there.write("now");
  run_until([&] { return !m->last.empty(); });
  EXPECT_EQ(m->last, "now");
  m->hear(here);
  auto second = there.write("late");
  m.reset();
  run_until([&] { return second.is_released() && read_buffer::live == 0; });
  net().run();
}

TEST_F(swarm, F14_a_buffer_lives_as_long_as_what_writes_into_it) {
  auto [here, there] = pair();
  auto reading = here.read();
  run_until([] { return read_buffer::live == 1; });
  auto said = there.write("bytes that come after the reader has gone");
  EXPECT_TRUE(reading.cancel(cause::requested)) << "by force: settled now";
  EXPECT_TRUE(reading.is_settled());
  EXPECT_EQ(read_buffer::live, 1) << "but not released: it may still be written to";
  EXPECT_FALSE(reading.is_released());
  net().run();
  EXPECT_TRUE(reading.is_released());
  EXPECT_EQ(read_buffer::live, 0);
}

struct in_arena : settle::default_policy {
  using value_type = std::string;
  using executor_type = ::executor;
  using allocator_type = settle::arena_allocator<std::byte>;
};

TEST_F(swarm, F15_memory_goes_back_to_where_it_came_from) {
  std::array<std::byte, 4096> block;
  settle::arena memory(block);
  std::size_t const free = memory.capacity() - memory.used();
  {
    settle::resolver<in_arena> r(std::allocator_arg, settle::arena_allocator<std::byte>(memory), ex());
    auto h = r.get_handle();
    r.own(new c_timer, &c_timer::close);                                                // of the heap, with the closer of its kind
    r.own(std::pmr::string("a string of the arena, with its own allocator", &memory));  // knows where it is from
    EXPECT_LT(memory.capacity() - memory.used(), free);
    auto [here, there] = pair();
    link& l = r.own(std::move(here));
    auto said = there.write("block");
    auto heard = l.read();
    run_until([&] { return heard.is_released() && said.is_released(); });
    r.complete(std::move(heard).wait().value());
    net().run();
    EXPECT_EQ(std::move(h).wait().value(), "block");
  }
  net().run();
  EXPECT_EQ(c_timer::open, 0);
  memory.reset();
}

TEST_F(swarm, F16_new_work_in_the_teardown_is_refused_and_a_farewell_is_not) {
  settle::scope world(ex(), settle::on_failure::keep_going);
  tracker t(net(), world);
  t.answers = false;
  auto peers = std::make_unique<settle::scope>(ex(), settle::on_failure::keep_going);
  int dialled = 0;
  std::optional<settle::error> refusal;
  auto reconnect = [&] {
    ++dialled;
    return net().dial(t.port());
  };
  auto goodbye = [this, &t]() -> handle_of<void> {
    link l = co_await net().dial(t.port());
    co_await l.write("stopped");
  };
  auto wait = [&] { return settle::sleep(ex(), 1h); };
  peers->spawn(wait).on_done([&] {  // what a close handler does
    peers->spawn(reconnect).on_done([&](settle::outcome<link> const& o) { refusal = o.error(); });
    peers->farewell(goodbye, 10s);
  });
  net().step();
  peers->op().request_cancel(cause::shutdown);
  run_until([&] { return refusal && peers->op().is_released() && !t.heard.empty(); });
  EXPECT_EQ(dialled, 0);
  EXPECT_EQ(refusal->code(), errc::closed);
  EXPECT_EQ(t.heard, std::vector<std::string>{"stopped"});
  world.op().request_cancel();
  net().run();
}

TEST_F(swarm, F17_closing_twice_or_from_the_close_callback_closes_once) {
  c_timer::closed = 0;
  auto [here, there] = pair();
  on_net session(ex());
  auto const op = session.op();
  int told = 0;
  int depth = 0;
  session.own(new c_timer, &c_timer::close);
  link& l = session.own(std::move(here));
  auto reading = l.read();
  session.on_cancel([&] {
    ++told;
    EXPECT_EQ(depth++, 0) << "not nested";
    op.request_cancel();
    l.close();
    session.cancel();
    op.cancel();
    --depth;
  });
  op.on_cleanup([&] { op.request_cancel(), op.cancel(); });
  EXPECT_TRUE(op.request_cancel());
  EXPECT_FALSE(op.request_cancel());
  net().run();
  EXPECT_EQ(told, 1);
  EXPECT_EQ(c_timer::closed, 1);
  EXPECT_TRUE(op.is_released());
  EXPECT_TRUE(reading.is_released()) << "closing has ended it";
}

TEST_F(swarm, F18_closing_ends_a_read_that_is_armed_once) {
  auto [here, there] = pair();
  auto reading = here.read();
  int ended = 0;
  reading.on_done([&](settle::outcome<std::string> const& o) {
    EXPECT_FALSE(o.has_value());
    ++ended;
  });
  net().step();
  here.close();
  net().run();
  EXPECT_EQ(ended, 1);
  EXPECT_TRUE(reading.is_released());
  EXPECT_EQ(read_buffer::live, 0);
}

TEST_F(swarm, F19_after_many_rounds_exactly_as_much_is_in_use_as_after_a_few) {
  bad_port const refusing(bad_port::refusing);
  auto const in_use = [&](int rounds) {
    for (int i = 0; i != rounds; ++i) {
      auto refused = net().dial(refusing.number());
      auto dropped = settle::sleep(ex(), 1h);
      {
        auto const gone = std::move(dropped);
      }
      auto [here, there] = pair();
      auto said = here.write("x");
      auto heard = settle::within(there.read(), 1h);
      run_until([&] { return refused.is_released() && said.is_released() && heard.is_released(); });
      EXPECT_TRUE(std::move(refused).wait().has_error());
    }
    net().run();
    settle::trim();
    return test::live_allocations_of_this_thread();
  };
  auto const few = in_use(10);
  auto const links = link_count::live;
  EXPECT_EQ(in_use(test::sanitized ? 100 : 500), few) << "the slope is zero";
  EXPECT_EQ(link_count::live, links);
}

/// Connects that fail at once, reads and timers that are given up, resources: what a round needs no socket of its own for.
TEST_F(swarm, F19_a_hundred_thousand_rounds_of_one_client_leave_what_a_few_leave) {
  c_timer::closed = 0;
  auto [here, there] = pair();
  settle::scope client(ex(), settle::on_failure::keep_going);
  auto const round = [&] {
    auto refused = net().dial(1);
    on_net job(client.op(), ex());
    job.own(new c_timer, &c_timer::close);
    std::array<settle::operation, 4> ended;
    {
      auto const reading = settle::within(here.read(), 1h);
      auto const sleeping = settle::sleep(ex(), 1h);
      ended = {refused, job.op(), reading, sleeping};
    }
    job.cancel();
    run_until([&] { return std::ranges::all_of(ended, [](auto const& op) { return op.is_released(); }); });
    ASSERT_EQ(number_of(std::move(refused).wait().error()), test::sanitized ? ECONNREFUSED : EMFILE);
    ASSERT_EQ(c_timer::open + link_count::live + read_buffer::live, 2) << "the links of the pair";
  };
  auto const in_use = [&](std::size_t rounds) {
    {
      std::optional<no_descriptors> none;
      if (!test::sanitized) none.emplace();  // a sanitizer wants descriptors of its own
      for (std::size_t i = 0; i != rounds && !HasFatalFailure(); ++i) round();
    }
    net().run();
    settle::trim();
    return test::live_allocations_of_this_thread();
  };
  auto const few = in_use(10);
  std::size_t const many = test::a_million_when_optimised / 10;
  EXPECT_EQ(in_use(many), few) << "the slope is zero";
  EXPECT_EQ(c_timer::closed, static_cast<int>(many + 10));
  client.op().request_cancel();
  net().run();
}

// The scenarios of the same.
TEST_F(swarm, A43_unclosed_resource_sweep) {
  c_timer::closed = 0;
  auto [here, there] = pair();
  settle::shutdown_plan stop(ex());
  on_net timers(stop.root(), ex());
  on_net sockets(stop.root(), ex());
  timers.own(new c_timer, &c_timer::close);
  sockets.own(std::move(here));
  stop.add("timers", {.root = timers.op()});
  stop.add("sockets", {.root = sockets.op()});
  auto report = stop.run(4ms);
  run_until([&] { return report.is_settled(); });
  std::map<std::string, int> forgotten;
  for (auto const& s : report.peek()->value().survivors) ++forgotten[std::string(s.owner)];
  EXPECT_EQ(forgotten["timers"], 1);
  EXPECT_EQ(forgotten["sockets"], 1);
  EXPECT_EQ(forgotten["root"], 1) << "itself";
  {
    on_net const gone = std::move(timers);
    on_net const gone_too = std::move(sockets);
  }
  auto closed = there.read();
  net().run();
  EXPECT_TRUE(std::move(closed).wait().has_error()) << "the socket was closed";
  EXPECT_EQ(c_timer::open, 0);
  EXPECT_EQ(c_timer::closed, 1);
}

TEST_F(swarm, A44_connect_churn) {
  bad_port const refusing(bad_port::refusing);
  bad_port const deaf(bad_port::deaf);
  int const rounds = test::sanitized || test::a_tenth_will_do ? 10 : 100;
  std::map<std::string, int> ended;
  for (int round = 0; round != rounds; ++round) {
    std::vector<handle_of<link>> dialled;
    {
      no_descriptors const none;
      for (int i = 0; i != 25; ++i) dialled.push_back(net().dial(refusing.number()));
      net().run();
    }
    settle::scope connecting(ex());
    for (int i = 0; i != 25; ++i) {
      dialled.push_back(net().dial(refusing.number()));
      dialled.push_back(settle::within(net().dial(deaf.number()), 1ms));
      auto dial = [&] { return net().dial(deaf.number()); };
      auto const in_flight = connecting.spawn(dial);
      in_flight.on_done([&](settle::outcome<link> const& o) { ++ended[o.is_cancelled() ? "stopped" : "?"]; });
    }
    run_until([&] { return std::ranges::all_of(dialled, [](auto const& h) { return h.is_released(); }); });
    connecting.op().request_cancel(cause::shutdown);
    net().run();
    for (auto& h : dialled) {
      auto const o = std::move(h).wait();
      ++ended[o.timed_out()                          ? "timed out"
              : number_of(o.error()) == EMFILE       ? "failed at once"
              : number_of(o.error()) == ECONNREFUSED ? "refused"
                                                     : "?"];
    }
  }
  int const each = 25 * rounds;
  EXPECT_EQ(ended, (std::map<std::string, int>{{"failed at once", each}, {"refused", each}, {"stopped", each}, {"timed out", each}}));
  EXPECT_EQ(link_count::live, 0);
}

TEST_F(swarm, A45_reconnect_cycle) {
  long const rounds = test::sanitized || test::a_tenth_will_do ? 500 : 10'000;
  settle::scope all(ex(), settle::on_failure::keep_going);
  tracker rude(net(), all);
  rude.hangs_up = true;
  peer p(net(), all, rude.port(), 0ms);
  run_until([&] { return p.rounds >= 10; });
  long const made = link_count::made;
  long const then = p.rounds;
  run_until([&] { return p.rounds >= then + rounds; });
  EXPECT_GE(link_count::made - made, rounds);
  EXPECT_LE(link_count::live, 3) << "each is gone before the next but one comes";
  all.op().request_cancel(cause::shutdown);
  net().run();
  EXPECT_TRUE(all.op().is_released());
  EXPECT_EQ(link_count::live, 0) << "running or stopping, one way to release";
}

TEST_F(swarm, all_of_it_stops_clean_whenever_the_signal_comes) {
  for (int moment = 0; moment < 60; moment += moment < 10 ? 1 : 7) {
    {
      settle::shutdown_plan stop(ex());
      test::whole_swarm<network> all(net(), stop.root());
      stop.add("swarm", {.stop_accepting = [&] { all.all.close(); }, .root = all.all.op()});
      for (int i = 0; i != moment; ++i) net().step();
      auto report = stop.run(60s);
      run_until([&] { return report.is_settled() && all.all.op().is_released(); });
      EXPECT_TRUE(report.peek()->value().clean()) << moment;
    }
    net().run();
    EXPECT_EQ(link_count::live, 0) << moment;
    EXPECT_EQ(read_buffer::live, 0);
  }
}

}  // namespace
