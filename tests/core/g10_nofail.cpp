// SPDX-License-Identifier: BSL-1.0
// G10: from claim to released settle's own code neither allocates nor throws, and user code that throws stops nothing.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>

#include "allocations.hpp"
#include "situations.hpp"

namespace {

using namespace test;

TEST(G10_nofail, the_counter_counts) {
  allocation_count const count;
  auto p = std::make_unique<int>(1);
  EXPECT_EQ(count.now(), 1U);
  void* volatile q = std::malloc(1);
  EXPECT_EQ(count.now(), counts_malloc ? 2U : 1U);
  std::free(q);
}

/// A tree with every kind of hook, ended: nothing is allocated until all is released.
template <class P>
std::uint64_t allocations_of(way how, typename P::executor_type ex, auto run) {
  int ran = 0;
  auto const observe = [&ran](settle::operation const& op) {
    op.on_done([&ran] { ++ran; });
    op.on_cancel([&ran] { ++ran; });
    op.on_cleanup([&ran] { ++ran; });
    op.on_cleanup([&ran] { ++ran; });
    op.on_cleanup([&ran] { ++ran; });
    op.on_released([&ran] { ++ran; });
  };
  std::optional<subject<P>> parent(std::in_place, ex);
  std::optional<subject<P>> child(std::in_place, ex);
  std::optional<subject<P>> grandchild(std::in_place, ex);
  for (auto* s : {&parent, &child, &grandchild}) observe((*s)->op);
  parent->op.adopt(child->op);
  child->op.adopt(grandchild->op);
  std::move(grandchild->h).on_done([&ran](auto&&) { ++ran; });
  settle::registration kept = child->op.on_done([&ran] { ++ran; });
  settle::registration withdrawn = child->op.on_done([&ran] { ++ran; });
  settle::operation const op = parent->op;

  allocation_count const count;
  EXPECT_TRUE(withdrawn.withdraw());
  settle::pin p = op.pin();
  parent->end(how);
  run();
  child.reset();
  grandchild.reset();
  parent.reset();
  p.reset();
  run();
  EXPECT_TRUE(op.is_released());
  kept = {};
  std::uint64_t const allocated = count.now();
  EXPECT_EQ(ran, 5 + 6 + 6 + 2 + (is_cancelled(how) ? 1 : 0));
  return allocated;
}

struct silent : counted<int> {
  using error_sink = settle::ignore_sink;  // the recording one allocates
};

TEST(G10_nofail, nothing_is_allocated_from_the_end_to_released) {
  in_each_way([](way how) { EXPECT_EQ(allocations_of<silent>(how, {}, [] {}), 0U); });
}

/// Keeps what it was given in place: what remains is settle's own.
struct pocket {
  alignas(std::max_align_t) std::byte place[16][64];
  void (*run[16])(void*) = {};
  std::size_t used = 0;

  struct executor {
    pocket* p;
    template <class F>
    void execute(F f) const {
      static_assert(sizeof(F) <= 64);
      ASSERT_LT(p->used, 16U);
      ::new (static_cast<void*>(p->place[p->used])) F(std::move(f));
      p->run[p->used++] = [](void* at) {
        F work(std::move(*static_cast<F*>(at)));
        static_cast<F*>(at)->~F();
        work();
      };
    }
    bool operator==(executor const&) const = default;
  };
  void drain() {
    for (std::size_t i = 0; i != used; ++i) run[i](place[i]);
    used = 0;
  }
};
struct silent_pocket : counted<int, pocket::executor> {
  using error_sink = settle::ignore_sink;
};

TEST(G10_nofail, nothing_is_allocated_for_posting) {
  in_each_way([](way how) {
    pocket p;
    EXPECT_EQ(allocations_of<silent_pocket>(how, pocket::executor{&p}, [&p] { p.drain(); }), 0U);
  });
}

TEST(G10_nofail, the_sequence_goes_on_when_there_is_no_memory) {
  in_each_way([](way how) {
    subject<silent> s;
    subject<silent> child;
    s.op.adopt(child.op);
    int ran = 0;
    s.op.on_done([&] { ++ran; });
    s.op.on_cleanup([&] { ++ran; });
    child.op.on_cleanup([&] { ++ran; });
    dry_after const none(0);
    s.end(how);
    subject<silent>::drop(child.r);
    EXPECT_EQ(ran, 3);
    EXPECT_TRUE(s.op.is_released());
  });
}

// Each kind of user code throws; all the others still run, the outcome stands, the sink hears of each.
TEST(G10_nofail, what_user_code_throws_goes_to_the_sink) {
  in_every_situation([](auto& place, situation at) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    subject<policy> s(place.get_executor());
    auto w = s.h.watch();
    trail log;
    auto const throws = [&log](char const* name) {
      return [&log, name] {
        log.push_back(name);
        throw std::runtime_error(name);
      };
    };
    play(place, at, s, [&] {
      s.op.on_done(throws("done 1"));
      s.op.on_done(throws("done 2"));
      w.on_done([f = throws("done 3")](settle::outcome<int> const&) { f(); });
      s.op.on_cancel(throws("cancel"));
      s.op.on_cleanup(throws("cleanup 1"));
      s.op.on_cleanup(throws("cleanup 2"));
      s.op.on_released(throws("released"));
    });
    std::size_t const expected = is_cancelled(at.how) ? 7 : 6;
    EXPECT_EQ(log.size(), expected);
    EXPECT_EQ(w.peek()->how().kind, kind_of(at.how));
    trail said;
    for (auto const& r : recording_sink::take()) {
      if (r.said.empty()) continue;
      EXPECT_EQ(r.what, at.when != moment::released && r.said.starts_with("cleanup") ? settle::monitor_event::cleanup_threw : r.what);
      said.push_back(r.said);
    }
    EXPECT_EQ(said, log);
  });
}

TEST(G10_nofail, a_consumer_that_throws) {
  on_each_executor([](auto& place) {
    using policy = counted<tracked, typename std::decay_t<decltype(place)>::executor>;
    for (bool const settled : {false, true}) {
      subject<policy> s(place.get_executor());
      int cleaned = 0;
      s.op.on_cleanup([&] { ++cleaned; });
      auto const take = [&] { std::move(s.h).on_done([](settle::outcome<tracked>&&) { throw std::runtime_error("consumer"); }); };
      if (!settled) take();
      s.r.complete(tracked(3));
      place.run();
      if (settled) take();
      place.run();
      EXPECT_EQ(cleaned, 1);
      EXPECT_EQ(tracked::alive, 0) << "what the consumer left dies with it";
      ASSERT_EQ(recording_sink::take().size(), 1U);
    }
  });
}

}  // namespace
