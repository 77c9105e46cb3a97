// SPDX-License-Identifier: BSL-1.0
#include <gtest/gtest.h>
#include <settle/testing/weave.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

// Programs made by chance: leaving out what is redundant must lose no outcome. The full search says what the outcomes are;
// where it takes too long, sleep sets do.
namespace {

namespace weave = settle::testing::weave;

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto acquire = std::memory_order_acquire;
constexpr auto release = std::memory_order_release;
constexpr auto acq_rel = std::memory_order_acq_rel;
constexpr auto seq_cst = std::memory_order_seq_cst;

enum class act : std::uint8_t {
  load,
  load_too,
  store,
  add,
  exchange,
  swap,
  weak_swap,
  parity,
  take,
  spin_lock,
  mutex,
  gate_or_choose,
  leave,
  leave_some,
  add_unseen
};

struct instruction {
  act what;
  std::size_t where;
  int value;
  std::memory_order order;
};
using program = std::vector<std::vector<instruction>>;

struct machine {
  std::array<weave::atomic<int>, 3> x{};
  weave::mutex lock;
  weave::event gate;
  std::vector<std::string> log;
  bool says = false;  // what it is after, where there is a member for that
};

std::memory_order of_load(std::memory_order o) { return o == release ? relaxed : o == acq_rel ? acquire : o; }
std::memory_order of_store(std::memory_order o) { return o == acquire ? relaxed : o == acq_rel ? release : o; }

/// A section under a lock that spins; in it x is incremented.
int under_spin_lock(machine& m, weave::atomic<int>& x) {
  auto& l = m.x[2];
  if (m.says) l.lock_bit(1, acquire);
  for (int seen = m.says ? 1 : l.load(relaxed); !m.says;) {
    if (seen != 0) {
      l.pause();
      seen = l.load(relaxed);
    } else if (l.compare_exchange_weak(seen, 1, acquire, relaxed)) {
      break;
    }
  }
  int const q = x.load(relaxed);
  x.store(q + 1, relaxed);
  l.store(0, release);
  return q;
}

bool is_odd(machine const& m, weave::atomic<int> const& x, std::memory_order o) {
  auto const odd = [](int v) { return v % 2 != 0; };
  return m.says ? x.look(odd, o) : odd(x.load(o));
}

/// One less, unless there is none.
bool take(machine const& m, weave::atomic<int>& x, std::memory_order o) {
  auto const less = [](int v) { return v > 0 ? std::optional<int>(v - 1) : std::nullopt; };
  if (m.says) {
    bool there_was = false;
    bool const taken = x.update(there_was, less, [](int v) { return v > 0; }, o, of_load(o));
    return taken && there_was;
  }
  int seen = x.load(of_load(o));
  while (seen > 0)
    if (x.compare_exchange_strong(seen, seen - 1, o, of_load(o))) return true;
  return false;
}

/// Some less; all there is to be told is whether there were many. `some`: only of many.
bool leave(machine const& m, weave::atomic<int>& x, bool some, int n, std::memory_order o) {
  auto const many = [](int v) { return v > 1; };
  if (m.says) {
    auto const less = [some, n](int v) { return !some || v > 1 ? std::optional<int>(v - n) : std::nullopt; };
    bool were_many = false;
    x.update(were_many, less, many, o, of_load(o), -n);
    return were_many;
  }
  int seen = x.load(of_load(o));
  while (!some || many(seen))
    if (x.compare_exchange_strong(seen, seen - n, o, of_load(o))) break;
  return many(seen);
}

void add_unseen(machine const& m, weave::atomic<int>& x, int n, std::memory_order o) {
  int nothing = 0;
  x.update(nothing, [n](int v) { return std::optional<int>(v + n); }, [](int) { return 0; }, o, relaxed, m.says ? n : 0);
}

std::string swap(weave::atomic<int>& x, instruction const& i) {
  int seen = i.value - 1;
  bool const done = i.what == act::swap ? x.compare_exchange_strong(seen, i.value + 1, i.order, of_load(i.order))
                                        : x.compare_exchange_weak(seen, i.value, i.order, relaxed);
  return (done ? "S" : "F") + std::to_string(seen);
}

void run(weave::world& w, machine& m, std::size_t thread, instruction const& i) {
  auto& x = m.x[i.where];
  std::string& log = m.log[thread];
  switch (i.what) {
    case act::load:
    case act::load_too:
      log += std::to_string(x.load(of_load(i.order)));
      break;
    case act::store:
      x.store(i.value, of_store(i.order));
      break;
    case act::add:
      log += std::to_string(x.fetch_add(i.value, i.order));
      break;
    case act::exchange:
      log += std::to_string(x.exchange(i.value, i.order));
      break;
    case act::swap:
    case act::weak_swap:
      log += swap(x, i);
      break;
    case act::parity:
      log += is_odd(m, x, of_load(i.order)) ? 'o' : 'e';
      break;
    case act::take:
      log += take(m, x, i.order) ? 'T' : 'N';
      break;
    case act::leave:
    case act::leave_some:
      log += leave(m, x, i.what == act::leave_some, i.value, i.order) ? 'm' : 'f';
      break;
    case act::add_unseen:
      add_unseen(m, x, i.value == 1 ? -1 : 2, i.order);
      break;
    case act::spin_lock:
      log += std::to_string(under_spin_lock(m, x));
      break;
    case act::mutex: {
      m.lock.lock();
      int const q = x.load(relaxed);
      x.store(q + i.value, relaxed);
      log += std::to_string(q);
      m.lock.unlock();
      break;
    }
    case act::gate_or_choose:
      if (thread == 0) m.gate.set();
      else if (i.value == 1) log += m.gate.wait_until(std::chrono::steady_clock::time_point()) ? 'w' : 't';
      else log += static_cast<char>('a' + w.choose(2));
  }
}

class generator {
 public:
  explicit generator(unsigned seed) : random_(seed) {
    threads_ = 2 + below(3);
    length_ = threads_ == 2 ? 2 + below(2) : threads_ == 3 ? 1 + below(2) : 1;
    locations_ = 1 + below(2);
    kinds_ = below(3) == 0 ? 6 : 15;
    orders_ = below(4) == 0 ? 5 : 4;
    how.weak_memory = below(5) != 0;
    how.stale_failures = below(3) != 0;
    how.spurious_failures = below(4) == 0;
    how.pure_retries = false;  // what a failure saw is part of the outcome here
    how.minimise = false;
    how.max_executions = 10'000;
  }

  program make() {
    return make([this] { return static_cast<act>(below(kinds_)); });
  }
  /// Of those that add unseen, mostly, and some that look.
  program make_sums() {
    threads_ = 3 + below(2);
    length_ = threads_ == 3 ? 2 + below(2) : 1 + below(2);
    locations_ = 2;
    orders_ = below(3) == 0 ? 4 : 1;
    return make([this] {
      constexpr act acts[] = {act::add_unseen, act::add_unseen, act::add_unseen, act::load, act::load, act::parity, act::leave, act::add};
      return acts[below(8)];
    });
  }

  bool is_relaxed() const noexcept { return orders_ == 1; }

  weave::options how;

 private:
  template <class F>
  program make(F act_by_chance) {
    program p(threads_);
    for (auto& t : p)
      for (unsigned i = 0; i != length_; ++i) {
        constexpr std::memory_order orders[] = {relaxed, acquire, release, acq_rel, seq_cst};
        act const what = act_by_chance();
        std::size_t const where = below(locations_);
        int const value = 1 + static_cast<int>(below(2));
        t.push_back({what, where, value, orders[below(orders_)]});
      }
    return p;
  }
  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }

  std::mt19937 random_;
  unsigned threads_;
  unsigned length_;
  unsigned locations_;
  unsigned kinds_;
  unsigned orders_;
};

struct result {
  std::set<std::string> outcomes;
  weave::report report;
};

result explore(program const& p, weave::options how, weave::method m, bool says = false) {
  result r;
  how.search = m;
  r.report = weave::explore(
      [&](weave::world& w) {
        auto const s = std::make_shared<machine>();
        s->log.resize(p.size());
        s->says = says;
        for (std::size_t t = 0; t != p.size(); ++t)
          w.thread("thread " + std::to_string(t), [&w, &p, s, t] {
            for (auto const& i : p[t]) run(w, *s, t, i);
          });
        w.finally([s, &r] {
          std::string all;
          for (auto const& l : s->log) all += l + '|';
          for (auto const& x : s->x) all += std::to_string(x.load());
          r.outcomes.insert(all);
        });
      },
      how);
  return r;
}

TEST(weave_equality, what_is_left_out_loses_no_outcome_of_programs_made_by_chance) {
  std::uint64_t in_full = 0;
  std::uint64_t reduced = 0;
  std::uint64_t in_short = 0;
  unsigned compared = 0;
  for (unsigned seed = 1; seed != 1501; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    generator g(seed);
    program const p = g.make();
    auto const full = explore(p, g.how, weave::full());
    auto const slept = explore(p, g.how, weave::sleep_sets());
    auto const least = explore(p, g.how, weave::reduced());
    auto const said = explore(p, g.how, weave::reduced(), true);
    for (auto const* r : {&full, &slept, &least, &said}) ASSERT_TRUE(r->report.clean) << r->report.text();
    if (full.report.exhausted) {
      EXPECT_EQ(slept.outcomes, full.outcomes);
      EXPECT_EQ(least.outcomes, full.outcomes);
      EXPECT_EQ(said.outcomes, full.outcomes);
      in_full += full.report.executions;
      reduced += least.report.executions;
      in_short += said.report.executions;
    } else if (slept.report.exhausted && least.report.exhausted) {
      EXPECT_EQ(least.outcomes, slept.outcomes);
      EXPECT_EQ(said.outcomes, slept.outcomes);
    }
    compared += full.report.exhausted || (slept.report.exhausted && least.report.exhausted) ? 1 : 0;
  }
  EXPECT_GT(compared, 1300U) << "most programs are small enough to be compared";
  EXPECT_LT(reduced * 5, in_full) << "and it is worth it";
  EXPECT_LT(in_short, reduced) << "what a program says it is after leaves less to be tried";
}

TEST(weave_equality, what_is_left_out_loses_no_outcome_of_sums_made_by_chance) {
  std::uint64_t in_order = 0;
  std::uint64_t in_short = 0;
  unsigned compared = 0;
  for (unsigned seed = 1; seed != 2001; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    generator g(seed);
    program const p = g.make_sums();
    auto const slept = explore(p, g.how, weave::sleep_sets());
    auto const said = explore(p, g.how, weave::reduced(), true);
    for (auto const* r : {&slept, &said}) ASSERT_TRUE(r->report.clean) << r->report.text();
    if (!slept.report.exhausted) continue;
    ASSERT_TRUE(said.report.exhausted);
    for (auto const& o : slept.outcomes) EXPECT_TRUE(said.outcomes.contains(o)) << "lost: " << o;
    if (g.is_relaxed()) {
      EXPECT_EQ(said.outcomes.size(), slept.outcomes.size()) << "where nobody learns by adding, none is made up";
    }
    in_order += slept.report.executions;
    in_short += said.report.executions;
    ++compared;
  }
  EXPECT_GT(compared, 1500U);
  EXPECT_LT(in_short * 2, in_order);
}

/// Loops of compare-and-swaps: leaving out the tries that fail must lose nothing either.
TEST(weave_equality, loops_that_try_again_end_in_the_same_ways_without_their_failures) {
  for (bool const pure : {false, true}) {
    std::set<std::string> outcomes[2];
    for (weave::method const& m : {weave::full(), weave::reduced()}) {
      weave::options how{.search = m};
      how.pure_retries = pure;
      auto const r = weave::explore(
          [&](weave::world& w) {
            auto const s = std::make_shared<machine>();
            s->log.resize(3);
            for (std::size_t t = 0; t != 2; ++t)
              w.thread("adds", [=] {
                int seen = s->x[0].load(relaxed);
                while (!s->x[0].compare_exchange_weak(seen, seen * 2 + 1 + static_cast<int>(t), acq_rel, relaxed)) {
                }
                s->log[t] += std::to_string(seen) + std::to_string(s->x[1].exchange(seen, relaxed));
              });
            w.thread("reads", [=] { s->log[2] = std::to_string(s->x[1].load(relaxed)) + std::to_string(s->x[0].load(relaxed)); });
            w.finally([=, &outcomes] {
              outcomes[m.kind == weave::method::full_search ? 0 : 1].insert(s->log[0] + '|' + s->log[1] + '|' + s->log[2]);
            });
          },
          how);
      ASSERT_TRUE(r.clean && r.exhausted) << r.text();
    }
    EXPECT_EQ(outcomes[0], outcomes[1]);
    EXPECT_GT(outcomes[0].size(), 8U);
  }
}

}  // namespace
