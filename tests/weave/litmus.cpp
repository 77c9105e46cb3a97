// SPDX-License-Identifier: BSL-1.0
#include <gtest/gtest.h>
#include <settle/testing/weave.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <string>

// The small programs by which memory models are told apart. Each is given the exact set of outcomes that C++20 allows, less
// what the explorer says it leaves out, and every way of searching must find that set.
namespace {

namespace weave = settle::testing::weave;

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto acquire = std::memory_order_acquire;
constexpr auto release = std::memory_order_release;
constexpr auto acq_rel = std::memory_order_acq_rel;
constexpr auto seq_cst = std::memory_order_seq_cst;

/// Two or three variables, and what was read.
struct machine {
  weave::atomic<int> x = 0;
  weave::atomic<int> y = 0;
  weave::atomic<int> z = 0;
  std::array<int, 4> r{};
};
using program = std::function<void(machine&)>;
using outcomes = std::set<std::string>;

outcomes run(weave::method how, std::initializer_list<program> threads, std::size_t reads, bool weak = true) {
  outcomes seen;
  auto const r = weave::explore(
      [&](weave::world& w) {
        auto const m = std::make_shared<machine>();
        int n = 0;
        for (program const& p : threads) w.thread("thread " + std::to_string(++n), [=] { p(*m); });
        w.finally([=, &seen] {
          std::string s;
          for (std::size_t i = 0; i != reads; ++i) s += std::to_string(m->r[i]);
          seen.insert(s);
        });
      },
      {.search = how, .weak_memory = weak});
  EXPECT_TRUE(r.clean) << r.text();
  EXPECT_TRUE(r.exhausted);
  return seen;
}

void expect(outcomes const& allowed, std::initializer_list<program> threads, std::size_t reads, bool weak = true) {
  EXPECT_EQ(run(weave::full(), threads, reads, weak), allowed) << "full";
  EXPECT_EQ(run(weave::sleep_sets(), threads, reads, weak), allowed) << "sleep sets";
  EXPECT_EQ(run(weave::reduced(), threads, reads, weak), allowed) << "reduced";
}

program storing(weave::atomic<int> machine::* to, int v, std::memory_order o) {
  return [=](machine& m) { (m.*to).store(v, o); };
}
program reading_both(weave::atomic<int> machine::* first, weave::atomic<int> machine::* second, std::size_t into, std::memory_order o) {
  return [=](machine& m) {
    m.r[into] = (m.*first).load(o);
    m.r[into + 1] = (m.*second).load(o);
  };
}

/// Two bits for each reader, all combinations but those named.
outcomes all_but(outcomes const& missing) {
  outcomes o;
  for (int i = 0; i != 16; ++i) {
    std::string s;
    for (int b = 3; b >= 0; --b) s += ((i >> b) & 1) != 0 ? '1' : '0';
    if (!missing.contains(s)) o.insert(s);
  }
  return o;
}

auto const store_buffering = [](std::memory_order st, std::memory_order ld) {
  return std::array<program, 2>{[=](machine& m) {
                                  m.x.store(1, st);
                                  m.r[0] = m.y.load(ld);
                                },
                                [=](machine& m) {
                                  m.y.store(1, st);
                                  m.r[1] = m.x.load(ld);
                                }};
};

TEST(weave_litmus, store_buffering_is_seen_with_acquire_and_release_and_not_when_sequentially_consistent) {
  auto const weak = store_buffering(release, acquire);
  expect({"00", "01", "10", "11"}, {weak[0], weak[1]}, 2);
  auto const strong = store_buffering(seq_cst, seq_cst);
  expect({"01", "10", "11"}, {strong[0], strong[1]}, 2);
  auto const half = store_buffering(release, seq_cst);
  expect({"00", "01", "10", "11"}, {half[0], half[1]}, 2);
  expect({"01", "10", "11"}, {weak[0], weak[1]}, 2, false);  // without weak memory it is never seen
}

TEST(weave_litmus, a_message_passes_with_release_and_acquire_only) {
  auto const passing = [](std::memory_order st, std::memory_order ld) {
    return std::array<program, 2>{[=](machine& m) {
                                    m.x.store(1, relaxed);
                                    m.y.store(1, st);
                                  },
                                  [=](machine& m) {
                                    m.r[0] = m.y.load(ld);
                                    m.r[1] = m.x.load(relaxed);
                                  }};
  };
  for (auto const& [st, ld] : {std::pair(relaxed, relaxed), std::pair(release, relaxed), std::pair(relaxed, acquire)}) {
    auto const p = passing(st, ld);
    expect({"00", "01", "10", "11"}, {p[0], p[1]}, 2);
  }
  auto const p = passing(release, acquire);
  expect({"00", "01", "11"}, {p[0], p[1]}, 2);
}

TEST(weave_litmus, load_buffering_is_left_out) {
  expect({"00", "01", "10"},
         {[](machine& m) {
            m.r[0] = m.x.load(relaxed);
            m.y.store(1, relaxed);
          },
          [](machine& m) {
            m.r[1] = m.y.load(relaxed);
            m.x.store(1, relaxed);
          }},
         2);
}

TEST(weave_litmus, independent_readers_may_disagree_about_independent_writers_unless_sequentially_consistent) {
  using m = machine;
  expect(all_but({}),
         {storing(&m::x, 1, release), storing(&m::y, 1, release), reading_both(&m::x, &m::y, 0, acquire),
          reading_both(&m::y, &m::x, 2, acquire)},
         4);
  expect(all_but({"1010"}),
         {storing(&m::x, 1, seq_cst), storing(&m::y, 1, seq_cst), reading_both(&m::x, &m::y, 0, seq_cst),
          reading_both(&m::y, &m::x, 2, seq_cst)},
         4);
}

TEST(weave_litmus, one_location_never_goes_back) {
  program const twice = [](machine& m) {
    m.x.store(1, relaxed);
    m.x.store(2, relaxed);
  };
  expect({"00", "01", "02", "11", "12", "22"}, {twice, reading_both(&machine::x, &machine::x, 0, relaxed)}, 2);
}

TEST(weave_litmus, what_one_thread_has_read_another_that_learns_of_it_reads_too) {
  // The second thread reads 1 and tells the third, which then cannot read 0.
  expect({"000", "001", "100", "101", "111"},
         {storing(&machine::x, 1, relaxed),
          [](machine& m) {
            m.r[0] = m.x.load(relaxed);
            m.y.store(m.r[0], release);
          },
          [](machine& m) {
            m.r[1] = m.y.load(acquire);
            m.r[2] = m.x.load(relaxed);
          }},
         3);
}

TEST(weave_litmus, modifications_are_ordered_as_executed) {
  // 2+2W: C++ allows x and y to end with both first values; in order of execution that cannot be.
  expect({"12", "21", "22"},
         {[](machine& m) {
            m.x.store(1, relaxed);
            m.y.store(2, relaxed);
            m.z.fetch_add(1, acq_rel);
            while (m.z.load(acquire) != 2) m.z.pause();
            m.r[0] = m.x.load(relaxed);
            m.r[1] = m.y.load(relaxed);
          },
          [](machine& m) {
            m.y.store(1, relaxed);
            m.x.store(2, relaxed);
            m.z.fetch_add(1, acq_rel);
          }},
         2);
}

TEST(weave_litmus, a_release_sequence_goes_through_read_modify_writes_and_ends_at_a_store) {
  auto const through = [](program middle) {
    return std::array<program, 3>{[](machine& m) {
                                    m.x.store(1, relaxed);
                                    m.y.store(1, release);
                                  },
                                  std::move(middle),
                                  [](machine& m) {
                                    m.r[0] = m.y.load(acquire);
                                    m.r[1] = m.x.load(relaxed);
                                  }};
  };
  // A relaxed increment of 1 makes 2, of 0 makes 1: who reads 2 knows x; 1 may be that of the increment of 0.
  auto const rmw = through([](machine& m) { m.y.fetch_add(1, relaxed); });
  expect({"00", "01", "10", "11", "21"}, {rmw[0], rmw[1], rmw[2]}, 2);
  auto const store = through([](machine& m) {
    if (m.y.load(relaxed) == 1) m.y.store(2, relaxed);
  });
  expect({"00", "01", "11", "20", "21"}, {store[0], store[1], store[2]}, 2);
}

TEST(weave_litmus, read_modify_writes_read_the_newest_value) {
  program const increment = [](machine& m) { m.x.fetch_add(1, relaxed); };
  program const last = [](machine& m) { m.r[0] = m.x.fetch_add(10, relaxed); };
  expect({"0", "1", "2"}, {increment, increment, last}, 1);
}

TEST(weave_litmus, a_compare_and_swap_that_fails_may_have_seen_an_old_value_and_one_that_succeeds_the_newest) {
  program const count = [](machine& m) {
    m.x.store(1, relaxed);
    m.x.store(2, relaxed);
  };
  program const swap = [](machine& m) {
    int seen = 2;
    m.r[0] = m.x.compare_exchange_strong(seen, 5, relaxed, relaxed) ? 1 : 0;
    m.r[1] = seen;
  };
  expect({"00", "01", "12"}, {count, swap}, 2);
  program const first = [](machine& m) {
    int seen = 0;
    m.r[0] = m.x.compare_exchange_strong(seen, 5, relaxed, relaxed) ? 1 : 0;
    m.r[1] = seen;
  };
  expect({"01", "02", "10"}, {count, first}, 2);  // never a failure that saw what was expected
}

}  // namespace
