// SPDX-License-Identifier: BSL-1.0
// Without a monitor and with the inline executor, settling goes a shorter way (detail/direct.hpp). What can be seen of it is
// the same.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "situations.hpp"

namespace {

using namespace test;

/// Nothing listens: the short way is open.
template <class Value, class Cleanup = settle::lifo_cleanup_2>
struct quiet : settle::default_policy {
  using value_type = Value;
  using cleanup = Cleanup;
  using allocator_type = counting_allocator<std::byte>;
  using error_sink = recording_sink;
};
static_assert(settle::detail::direct<quiet<int>>::possible);
static_assert(!settle::detail::direct<counted<int>>::possible);

template <class P>
settle::resolver<P> with_cleanups(trail& seen) {
  settle::resolver<P> r;
  r.on_cleanup([&seen] { seen.emplace_back("first"); });
  r.on_cleanup([&seen] { seen.emplace_back("second"); });
  return r;
}

TEST(short_way, a_value_that_nobody_can_take_dies_before_the_cleanups) {
  settle::resolver<quiet<tracked>> r;
  long alive = -1;
  r.on_cleanup([&] { alive = tracked::alive; });
  tracked mine(7);
  long const before = tracked::alive;
  EXPECT_TRUE(r.complete(std::move(mine)));
  EXPECT_EQ(alive, before);
  EXPECT_FALSE(r);
}

TEST(short_way, a_consumer_takes_the_value_and_the_cleanups_follow) {
  trail seen;
  auto r = with_cleanups<quiet<std::string>>(seen);
  r.get_handle().on_done([&](settle::outcome<std::string>&& out) { seen.push_back(std::move(out).value()); });
  EXPECT_TRUE(r.complete("value"));
  EXPECT_EQ(seen, (trail{"value", "second", "first"}));
}

TEST(short_way, a_failure_that_nobody_sees_is_reported) {
  settle::resolver<quiet<int>> r;
  EXPECT_TRUE(r.fail(settle::errc::closed));
  EXPECT_EQ(recording_sink::count(settle::monitor_event::unseen_failure), 1U);
  settle::resolver<quiet<int>> seen;
  bool failed = false;
  seen.get_handle().on_done([&](settle::outcome<int>&& out) { failed = out.has_error(); });
  EXPECT_TRUE(seen.fail(settle::errc::closed));
  EXPECT_TRUE(failed);
  EXPECT_EQ(recording_sink::count(settle::monitor_event::unseen_failure), 1U);
}

TEST(short_way, cleanups_that_were_allocated_and_those_in_slots_run_last_first) {
  trail seen;
  auto r = with_cleanups<quiet<int>>(seen);
  r.on_cleanup([&seen] { seen.emplace_back("third"); });
  r.on_cleanup([&seen, wide = std::array<char, 100>()] { seen.emplace_back(wide[0] == 0 ? "fourth" : ""); });
  EXPECT_TRUE(r.complete(42));
  EXPECT_EQ(seen, (trail{"fourth", "third", "second", "first"}));
}

TEST(short_way, cleanups_of_a_policy_without_slots_have_blocks) {
  trail seen;
  auto r = with_cleanups<quiet<int, settle::lifo_cleanup<0>>>(seen);
  EXPECT_TRUE(r.complete(42));
  EXPECT_EQ(seen, (trail{"second", "first"}));
}

TEST(short_way, fixed_storage_is_released_as_well) {
  trail seen;
  auto r = with_cleanups<quiet<int, settle::fixed_cleanup<2>>>(seen);
  EXPECT_FALSE(r.on_cleanup([&seen] { seen.emplace_back("no room"); }));
  EXPECT_TRUE(r.complete(42));
  EXPECT_EQ(seen, (trail{"no room", "second", "first"}));
}

TEST(short_way, fixed_storage_is_released_behind_a_consumer) {
  trail seen;
  auto r = with_cleanups<quiet<int, settle::fixed_cleanup<2>>>(seen);
  r.get_handle().on_done([&](settle::outcome<int>&&) { seen.emplace_back("consumer"); });
  EXPECT_TRUE(r.complete(42));
  EXPECT_EQ(seen, (trail{"consumer", "second", "first"}));
}

TEST(short_way, fixed_storage_is_released_behind_a_consumer_born_with_it) {
  trail seen;
  auto r =
      settle::resolver<quiet<int, settle::fixed_cleanup<2>>>::with_done([&](settle::outcome<int>&&) { seen.emplace_back("consumer"); });
  r.on_cleanup([&seen] { seen.emplace_back("first"); });
  r.on_cleanup([&seen] { seen.emplace_back("second"); });
  EXPECT_TRUE(r.complete(42));
  EXPECT_EQ(seen, (trail{"consumer", "second", "first"}));
}

TEST(short_way, a_cleanup_may_end_later) {
  trail seen;
  auto r = with_cleanups<quiet<int>>(seen);
  settle::resolver<quiet<void>> closing;
  r.on_cleanup([h = closing.get_handle()]() mutable { return std::move(h); });
  r.on_cleanup([] { return settle::handle<quiet<void>>(); });  // nothing to wait for
  EXPECT_TRUE(r.complete(42));
  EXPECT_TRUE(seen.empty());
  closing.complete();
  EXPECT_EQ(seen, (trail{"second", "first"}));
}

settle::resolver<quiet<int>>* to_complete = nullptr;
void complete_it(std::exception_ptr, settle::monitor_event const&) noexcept {
  EXPECT_TRUE(std::exchange(to_complete, nullptr)->complete(42));
}
struct completing : settle::default_policy {
  using error_sink = settle::function_sink<&complete_it>;
};

TEST(short_way, what_an_error_sink_completes_is_told_after_what_it_was_told_of) {
  trail seen;
  settle::resolver<quiet<int>> other;
  settle::handle<quiet<int>> const kept = other.get_handle();
  kept.on_done([&] { seen.emplace_back("other"); });
  to_complete = &other;
  {
    settle::resolver<completing> left;
    left.op().on_done([&] { seen.emplace_back("left"); });
  }  // abandoned: the sink is told while its observers wait
  EXPECT_EQ(seen, (trail{"left", "other"}));
  EXPECT_TRUE(kept.is_released());
}

TEST(short_way, others_who_refer_to_it_hold_nothing_back) {
  trail seen;
  auto r = with_cleanups<quiet<std::string>>(seen);
  settle::handle<quiet<std::string>> const kept = r.get_handle();
  kept.on_done([&](settle::outcome<std::string> const& out) { seen.push_back(out.value()); });
  settle::registration const again = kept.on_done([&] { seen.emplace_back("again"); });
  EXPECT_TRUE(r.complete("value"));
  EXPECT_EQ(seen, (trail{"value", "again", "second", "first"}));
  EXPECT_TRUE(kept.is_released());
}

TEST(short_way, settling_inside_a_callback_waits_for_it) {
  trail seen;
  settle::resolver<quiet<int>> second;
  second.get_handle().on_done([&](settle::outcome<int>&&) { seen.emplace_back("second"); });
  settle::resolver<quiet<int>> first;
  first.get_handle().on_done([&](settle::outcome<int>&&) {
    EXPECT_TRUE(second.complete(2));
    seen.emplace_back("first");
  });
  EXPECT_TRUE(first.complete(1));
  EXPECT_EQ(seen, (trail{"first", "second"}));
}

TEST(short_way, an_observer_that_is_registered_by_another_one_comes_after_it) {
  trail seen;
  auto r = with_cleanups<quiet<int>>(seen);
  auto const op = r.op();
  op.on_done([&] {
    op.on_done([&] { seen.emplace_back("late"); });
    op.on_released([&] { seen.emplace_back("released"); });
    seen.emplace_back("observer");
  });
  EXPECT_TRUE(r.complete(42));
  EXPECT_EQ(seen, (trail{"observer", "late", "second", "first", "released"}));
}

TEST(short_way, a_kept_handle_still_has_the_value_and_a_dropped_one_lets_it_die) {
  for (bool const keep : {true, false}) {
    settle::resolver<quiet<std::shared_ptr<int>>> r;
    auto value = std::make_shared<int>(42);
    std::weak_ptr<int> const there = value;
    std::optional<settle::handle<quiet<std::shared_ptr<int>>>> h = r.get_handle();
    if (!keep) std::move(*h).detach();
    EXPECT_TRUE(r.complete(std::move(value)));
    EXPECT_EQ(there.expired(), !keep);
    h.reset();
    EXPECT_TRUE(there.expired());
  }
}

TEST(short_way, a_pin_holds_the_cleanups_back) {
  trail seen;
  auto r = with_cleanups<quiet<int>>(seen);
  auto pin = r.op().pin();
  EXPECT_TRUE(r.complete(42));
  EXPECT_TRUE(seen.empty());
  pin.reset();
  EXPECT_EQ(seen, (trail{"second", "first"}));
}

TEST(short_way, a_consumer_whose_operation_others_refer_to) {
  trail seen;
  auto r = with_cleanups<quiet<int>>(seen);
  auto const op = r.op();
  r.get_handle().on_done([&](settle::outcome<int>&&) { seen.emplace_back("consumer"); });
  EXPECT_TRUE(op.cancel());
  EXPECT_EQ(seen, (trail{"consumer"})) << "the producer is a pin";
  EXPECT_FALSE(r.complete(42));
  EXPECT_EQ(seen, (trail{"consumer", "second", "first"}));
  EXPECT_TRUE(op.is_released());
}

TEST(short_way, a_registration_that_is_kept_withdraws_before_and_is_too_late_after) {
  for (bool const before : {true, false}) {
    int told = 0;
    settle::resolver<quiet<int>> r;
    auto kept = r.op().on_done([&] { ++told; });
    if (before) {
      EXPECT_TRUE(kept.withdraw());
    }
    EXPECT_TRUE(r.complete(42));
    EXPECT_FALSE(kept.withdraw());
    EXPECT_EQ(told, before ? 0 : 1);
  }
}

TEST(short_way, asked_to_cancel_it_is_the_long_one) {
  trail seen;
  settle::resolver<quiet<int>> r;
  auto const h = r.get_handle();
  h.on_cancel([&] { seen.emplace_back("asked"); });
  h.on_done([&](settle::outcome<int> const& out) { seen.emplace_back(out ? "value" : "none"); });
  EXPECT_TRUE(h.request_cancel());
  EXPECT_TRUE(r.complete(42));
  EXPECT_EQ(seen, (trail{"asked", "value"}));
}

TEST(short_way, a_producer_that_comes_too_late_beside_a_watcher_is_not_alone) {
  trail seen;
  settle::resolver<quiet<int>> r;
  auto h = r.get_handle();
  auto const w = h.watch();
  std::move(h).on_done([&](settle::outcome<int>&& out) { seen.emplace_back(out.is_cancelled() ? "cancelled" : "?"); });
  EXPECT_TRUE(w.cancel());
  EXPECT_TRUE(r.on_cleanup([&] { seen.emplace_back("cleanup"); }));
  EXPECT_FALSE(r.complete(42));
  r = settle::resolver<quiet<int>>();
  EXPECT_EQ(seen, (trail{"cancelled", "cleanup"}));
  r.complete(0);
}

/// std_sync; before one of the looks at a count of references and holds, or at what is as wide, something passes.
struct looking_sync : settle::std_sync {
  template <class T>
  struct atomic : std::atomic<T> {
    using std::atomic<T>::atomic;
    T load(std::memory_order order) const noexcept {
      if (sizeof(T) == width && meanwhile && --looks == 0) std::exchange(meanwhile, nullptr)();
      return std::atomic<T>::load(order);
    }
  };
  static inline std::function<void()> meanwhile;
  static inline int looks = 0;
  static inline std::size_t width = sizeof(std::uint64_t);
};
struct looking : settle::default_policy {
  using value_type = int;
  using terminal = settle::basic_cas_terminal<looking_sync>;
};
static_assert(settle::detail::direct<looking>::possible);
struct looking_on_loop : looking {
  using executor_type = manual_loop::executor;
};

TEST(short_way, one_who_registers_and_goes_while_the_producer_looks_who_is_there) {
  for (int looks = 1; looks != 6; ++looks) {
    auto const closure = std::make_shared<int>(0);
    trail seen;
    settle::resolver<looking> r;
    auto h = r.get_handle();
    settle::basic_operation<looking::terminal> other(h);
    std::move(h).on_done([&](settle::outcome<int>&&) { seen.emplace_back("consumer"); });
    looking_sync::looks = looks;
    looking_sync::meanwhile = [&, closure] {
      other.on_cancel([closure] {});
      other = {};
    };
    EXPECT_TRUE(r.complete(42));
    looking_sync::meanwhile = nullptr;
    other = {};
    EXPECT_EQ(seen, (trail{"consumer"}));
    EXPECT_EQ(closure.use_count(), 1) << "what was registered went with the operation";
  }
}

// Not of the short way, but seen by the same clock: the sequence ends between a late observer's look and its registering.
TEST(G06_never_late, an_observer_that_comes_while_the_sequence_ends) {
  for (int looks = 1; looks != 7; ++looks) {  // at the word, up to the one before it is locked for the ring and beyond
    trail seen;
    manual_loop loop;
    settle::resolver<looking_on_loop> r(loop.get_executor());
    auto h = r.get_handle();
    h.on_done([&] { seen.emplace_back("first"); });
    r.complete(42);
    looking_sync::looks = looks;
    looking_sync::width = sizeof(std::uint32_t);
    looking_sync::meanwhile = [&] { loop.run(); };
    h.on_done([&] { seen.emplace_back("late"); });
    looking_sync::meanwhile = nullptr;
    looking_sync::width = sizeof(std::uint64_t);
    loop.run();
    EXPECT_EQ(seen, (trail{"first", "late"})) << looks;
    EXPECT_TRUE(h.is_released());
  }
}

#if defined(__cpp_exceptions)
TEST(short_way, a_cleanup_whose_closure_throws_when_moved_leaves_the_slots_as_they_were) {
  trail seen;
  auto r = with_cleanups<quiet<int, settle::lifo_cleanup<3>>>(seen);
  fragile::throw_at = 1;
  EXPECT_THROW(r.on_cleanup([f = fragile(1)] { static_cast<void>(f); }), std::runtime_error);
  fragile::throw_at = 0;
  EXPECT_TRUE(r.complete(42));
  EXPECT_EQ(seen, (trail{"second", "first"}));
}
#endif

TEST(short_way, a_consumer_that_was_given_the_handle_and_somebody_who_looks_on) {
  settle::resolver_of<int> r;
  settle::operation const op = r.op();
  int got = 0;
  r.get_handle().on_done([&](settle::outcome<int>&& o) { got = std::move(o).value(); });
  EXPECT_TRUE(r.complete(5));
  EXPECT_EQ(got, 5);
  EXPECT_TRUE(op.is_released());
}

TEST(short_way, an_empty_resolver_completes_nothing) {
  settle::resolver_of<int> r;
  settle::resolver_of<int> to(std::move(r));
  EXPECT_FALSE(r.complete(1));  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_TRUE(to.complete(2));
}

}  // namespace
