// SPDX-License-Identifier: BSL-1.0
#include <gtest/gtest.h>
#include <settle/testing/weave.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

// Algorithms that are known to be wrong, each beside the one that is right: the explorer must catch the first, in every way
// of searching, print a schedule that shows it again, and find nothing in the second.
namespace {

namespace weave = settle::testing::weave;
using std::make_shared;

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto acquire = std::memory_order_acquire;
constexpr auto release = std::memory_order_release;
constexpr auto acq_rel = std::memory_order_acq_rel;
constexpr auto seq_cst = std::memory_order_seq_cst;

template <class Test>
void expect_caught(Test test, std::string const& how, weave::options o = {}) {
  for (weave::method const& m : {weave::reduced(), weave::sleep_sets(), weave::full()}) {
    o.search = m;
    auto const r = weave::explore(test, o);
    EXPECT_FALSE(r.clean);
    EXPECT_NE(r.failure.find(how), std::string::npos) << r.text();
    auto again = o;
    again.search = weave::replay(r.schedule);
    auto const repeated = weave::explore(test, again);
    EXPECT_EQ(repeated.failure, r.failure) << "a printed schedule shows the failure again: " << r.schedule;
    EXPECT_EQ(repeated.executions + repeated.redundant, 1U);
  }
}
template <class Test>
void expect_clean(Test test, weave::options o = {}) {
  for (weave::method const& m : {weave::reduced(), weave::sleep_sets()}) {
    o.search = m;
    auto const r = weave::explore(test, o);
    EXPECT_TRUE(r.clean) << r.text();
    EXPECT_TRUE(r.exhausted) << r.text();
  }
}

/// Two threads that each say they want in, then look whether the other does.
auto dekker(std::memory_order st, std::memory_order ld) {
  struct flags {
    weave::atomic<bool> wants[2];
    weave::plain<int> inside = 0;
  };
  return [=](weave::world& w) {
    auto const f = make_shared<flags>();
    for (int i = 0; i != 2; ++i)
      w.thread("thread " + std::to_string(i), [=] {
        f->wants[i].store(true, st);
        if (!f->wants[1 - i].load(ld)) f->inside = f->inside + 1;
      });
  };
}
TEST(weave_known_bad, dekker_without_sequential_consistency) {
  expect_caught(dekker(release, acquire), "a data race");
  expect_caught(dekker(seq_cst, relaxed), "a data race");
  expect_clean(dekker(seq_cst, seq_cst));
}

enum class claiming { store_first, two_steps, once };
/// Producers that race to settle; whoever wins says so.
auto settling(claiming how) {
  struct cell {
    weave::atomic<int> state = 0;
    weave::atomic<int> value = 0;
    weave::atomic<int> winner = 0;
  };
  return [=](weave::world& w) {
    auto const c = make_shared<cell>();
    for (int i = 1; i != 3; ++i)
      w.thread("producer " + std::to_string(i), [=] {
        if (how == claiming::store_first) c->value.store(i, relaxed);
        int expected = 0;
        bool won = false;
        if (how == claiming::two_steps) {
          won = c->state.load(acquire) == 0;
          if (won) c->state.store(1, release);
        } else {
          won = c->state.compare_exchange_strong(expected, 1, acq_rel, acquire);
        }
        if (!won) return;
        if (how != claiming::store_first) c->value.store(i, relaxed);
        c->winner.fetch_add(i, relaxed);
      });
    w.finally([=, &w] { w.expect(c->value.load() == c->winner.load(), "the value is the winner's"); });
  };
}
TEST(weave_known_bad, the_value_is_stored_before_it_is_claimed) { expect_caught(settling(claiming::store_first), "the winner's"); }
TEST(weave_known_bad, a_claim_in_two_steps) {
  expect_caught(settling(claiming::two_steps), "the winner's");
  expect_clean(settling(claiming::once));
}

/// A list that is pushed to while it is closed.
auto closing(bool checks_again) {
  struct list {
    weave::atomic<int> hooks = 0;
    weave::atomic<bool> closed = false;
    weave::atomic<int> told = 0;
  };
  return [=](weave::world& w) {
    auto const l = make_shared<list>();
    w.thread("register", [=] {
      if (!checks_again) {
        if (l->closed.load(seq_cst)) l->told.fetch_add(1, relaxed);
        else l->hooks.fetch_add(1, seq_cst);
      } else {
        l->hooks.fetch_add(1, seq_cst);
        if (l->closed.load(seq_cst) && l->hooks.exchange(0, seq_cst) == 1) l->told.fetch_add(1, relaxed);
      }
    });
    w.thread("close", [=] {
      l->closed.store(true, seq_cst);
      l->told.fetch_add(l->hooks.exchange(0, seq_cst), relaxed);
    });
    w.finally([=, &w] { w.expect(l->told.load() == 1, "told exactly once"); });
  };
}
TEST(weave_known_bad, a_registration_is_lost_between_the_look_and_the_push) {
  expect_caught(closing(false), "told exactly once");
  expect_clean(closing(true));
}

/// A waiter that looks, says that it sleeps, and sleeps.
auto waking(bool looks_again) {
  struct gate {
    weave::atomic<bool> ready = false;
    weave::atomic<bool> sleeps = false;
    weave::event wake;
  };
  return [=](weave::world& w) {
    auto const g = make_shared<gate>();
    w.thread("waiter", [=] {
      if (g->ready.load(seq_cst)) return;
      g->sleeps.store(true, seq_cst);
      if (looks_again && g->ready.load(seq_cst) && g->sleeps.exchange(false, seq_cst)) return;
      g->wake.wait();
    });
    w.thread("waker", [=] {
      g->ready.store(true, seq_cst);
      if (g->sleeps.exchange(false, seq_cst)) g->wake.set();
    });
  };
}
TEST(weave_known_bad, a_wake_up_is_lost) {
  expect_caught(waking(false), "deadlock");
  expect_clean(waking(true));
}

/// A stack of nodes that are used again. Two hands: `tagged` counts what the head went through.
auto stack(bool tagged) {
  struct nodes {
    weave::atomic<std::uint32_t> head = 0x01;  // tag above, index + 1 below
    weave::atomic<std::uint32_t> next[3] = {2, 3, 0};
    weave::plain<int> taken[3] = {0, 0, 0};

    std::uint32_t pop(bool tag) {
      std::uint32_t h = head.load(acquire);
      while ((h & 0xff) != 0) {
        std::uint32_t const n = next[(h & 0xff) - 1].load(relaxed) | (tag ? (h & 0xff00) + 0x100 : 0);
        if (head.compare_exchange_weak(h, n, acquire, acquire)) return h & 0xff;
      }
      return 0;
    }
    void push(std::uint32_t i, bool tag) {
      std::uint32_t h = head.load(relaxed);
      do {
        next[i - 1].store(h & 0xff, relaxed);
      } while (!head.compare_exchange_weak(h, i | (tag ? (h & 0xff00) + 0x100 : 0), release, relaxed));
    }
  };
  return [=](weave::world& w) {
    auto const s = make_shared<nodes>();
    w.thread("pop", [=] {
      if (std::uint32_t const i = s->pop(tagged)) s->taken[i - 1] = s->taken[i - 1] + 1;
    });
    w.thread("pop, pop, push", [=] {
      std::uint32_t const a = s->pop(tagged);
      std::uint32_t const b = s->pop(tagged);
      if (a != 0) s->push(a, tagged);
      if (b != 0) s->taken[b - 1] = s->taken[b - 1] + 1;
    });
    w.finally([=, &w] {
      for (std::uint32_t i = s->head.load() & 0xff; i != 0; i = s->next[i - 1].load())
        w.expect(s->taken[i - 1] == 0, "what was taken is off the stack");
    });
  };
}
TEST(weave_known_bad, a_stack_takes_a_node_that_came_back_for_one_that_never_left) {
  expect_caught(stack(false), "off the stack");
  expect_clean(stack(true));
}

struct counted {
  weave::atomic<int> references = 2;
  weave::plain<int> payload = 0;
};
auto counting(std::memory_order give_back, bool looks_after) {
  return [=](weave::world& w) {
    void* const at = weave::allocator::try_allocate(sizeof(counted), alignof(counted));
    auto* const c = ::new (at) counted;
    for (int i = 0; i != 2; ++i)
      w.thread("owner " + std::to_string(i), [=] {
        bool const last = c->references.fetch_sub(1, give_back) == 1;
        if (looks_after && !last && c->references.load(relaxed) == 7) return;
        if (!last) return;
        c->~counted();
        weave::allocator::deallocate(at, sizeof(counted), alignof(counted));
      });
  };
}
TEST(weave_known_bad, a_count_is_looked_at_after_it_was_given_back) { expect_caught(counting(acq_rel, true), "may still use it"); }
TEST(weave_known_bad, the_last_reference_goes_without_having_seen_what_the_others_did) {
  expect_caught(counting(relaxed, false), "is destroyed while another thread may still use it");
  expect_caught(counting(release, false), "is destroyed while another thread may still use it");
  expect_clean(counting(acq_rel, false));
}

TEST(weave_known_bad, an_object_is_used_after_its_memory_was_given_back) {
  expect_caught(
      [](weave::world& w) {
        void* const at = weave::allocator::try_allocate(sizeof(counted), alignof(counted));
        auto* const c = ::new (at) counted;
        w.thread("owner", [=] {
          weave::allocator::deallocate(at, sizeof(counted), alignof(counted));
          c->references.load(relaxed);
        });
      },
      "not there any more");
}

TEST(weave_known_bad, memory_is_given_back_twice_or_never) {
  auto const giving_back = [](int times) {
    return [=](weave::world& w) {
      void* const p = weave::allocator::try_allocate(64, 8);
      w.thread("owner", [=] {
        for (int i = 0; i != times; ++i) weave::allocator::deallocate(p, 64, 8);
      });
    };
  };
  expect_caught(giving_back(0), "memory was not given back");
  expect_caught(giving_back(2), "memory is given back twice");
  expect_clean(giving_back(1));
}

TEST(weave_known_bad, plain_data_that_nothing_orders) {
  auto const passing = [](std::memory_order st) {
    struct box {
      weave::plain<std::string> text;
      weave::atomic<bool> full = false;
    };
    return [=](weave::world& w) {
      auto const b = make_shared<box>();
      w.thread("write", [=] {
        b->text = "hello";
        b->full.store(true, st);
      });
      w.thread("read", [=, &w] {
        if (b->full.load(acquire)) w.expect(b->text.read() == "hello", "whole");
      });
    };
  };
  expect_caught(passing(relaxed), "a data race");
  expect_clean(passing(release));
}

TEST(weave_known_bad, an_object_is_published_before_it_is_made) {
  struct holder {
    std::unique_ptr<weave::atomic<int>> made;
    weave::atomic<weave::atomic<int>*> to = nullptr;
  };
  auto const publishing = [](std::memory_order st) {
    return [=](weave::world& w) {
      auto const h = make_shared<holder>();
      w.thread("make", [=] {
        h->made = std::make_unique<weave::atomic<int>>(1);
        h->to.store(h->made.get(), st);
      });
      w.thread("use", [=] {
        if (auto* const p = h->to.load(acquire)) p->load(relaxed);
      });
    };
  };
  expect_caught(publishing(relaxed), "before its construction");
  expect_clean(publishing(release));
}

TEST(weave_known_bad, two_mutexes_in_two_orders) {
  struct pair {
    weave::mutex a;
    weave::mutex b;
  };
  auto const locking = [](bool same_order) {
    return [=](weave::world& w) {
      auto const m = make_shared<pair>();
      w.thread("one", [=] {
        m->a.lock();
        m->b.lock();
        m->b.unlock();
        m->a.unlock();
      });
      w.thread("other", [=] {
        weave::mutex& first = same_order ? m->a : m->b;
        weave::mutex& second = same_order ? m->b : m->a;
        first.lock();
        second.lock();
        second.unlock();
        first.unlock();
      });
    };
  };
  expect_caught(locking(false), "deadlock");
  expect_clean(locking(true));
}

TEST(weave_known_bad, a_lock_that_is_never_given_back) {
  expect_caught(
      [](weave::world& w) {
        auto const l = make_shared<weave::atomic<int>>(0);
        for (int i = 0; i != 2; ++i)
          w.thread("thread", [=] {
            for (int seen = 0; !l->compare_exchange_weak(seen, 1, acquire, relaxed); seen = 0) l->pause();
          });
      },
      "deadlock");
}

TEST(weave_known_bad, a_loop_that_waits_without_saying_so) {
  expect_caught(
      [](weave::world& w) {
        auto const ready = make_shared<weave::atomic<bool>>(false);
        w.thread("waits", [=] {
          while (!ready->load(acquire)) {
          }
        });
        w.thread("sets", [=] { ready->store(true, release); });
      },
      "livelock", {.max_steps = 200});
}

}  // namespace
