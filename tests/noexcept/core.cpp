// SPDX-License-Identifier: BSL-1.0
// The core without exceptions and type information, errors as std::error_code.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "situations.hpp"

namespace {

using namespace test;

template <class Value, class Ex = settle::inline_executor>
struct coded : counted<Value, Ex> {
  using error_type = std::error_code;
  using error_sink = settle::ignore_sink;
  static std::error_code make_error(settle::errc e) noexcept { return settle::make_error_code(e); }
};

template <class Place, class V = int>
using policy_for = coded<V, typename Place::executor>;

TEST(noexcept_core, the_whole_sequence_in_every_situation) {
  in_every_situation([](auto& place, situation at) {
    using policy = policy_for<std::decay_t<decltype(place)>>;
    subject<policy> s(place.get_executor());
    auto w = s.h.watch();
    trail log;
    play(place, at, s, [&] {
      s.op.on_done([&] { log.push_back("done 1"); });
      w.on_done([&](settle::outcome<int, std::error_code> const& out) {
        EXPECT_EQ(out.how().kind, kind_of(at.how));
        log.push_back("done 2");
      });
      s.op.on_cleanup([&] { log.push_back("cleanup 1"); });
      s.op.on_cleanup([&] { log.push_back("cleanup 2"); });
    });
    trail expected = {"done 1", "done 2", "cleanup 2", "cleanup 1"};
    if (at.when == moment::released) expected = {"done 1", "done 2", "cleanup 1", "cleanup 2"};  // each at once
    EXPECT_EQ(log, expected);
    if (at.how == way::fail) {
      EXPECT_EQ(w.peek()->error(), settle::errc::closed);
    }
    if (is_cancelled(at.how)) {
      EXPECT_EQ(w.peek()->cancel().why, cause_of(at.how));
    }
  });
}

TEST(noexcept_core, one_winner) {
  subject<coded<std::unique_ptr<int>>> s;
  s.op.cancel();
  auto mine = std::make_unique<int>(4);
  EXPECT_FALSE(s.r.complete(std::move(mine)));
  ASSERT_NE(mine, nullptr);
  EXPECT_EQ(*mine, 4);
}

TEST(noexcept_core, values_are_taken) {
  on_each_executor([](auto& place) {
    using policy = policy_for<std::decay_t<decltype(place)>, std::string>;
    settle::resolver<policy> r(place.get_executor());
    settle::handle_of<std::string, std::error_code> h = r.get_handle();
    std::string got;
    std::move(h).on_done([&](settle::outcome<std::string, std::error_code>&& out) { got = std::move(out).value(); });
    EXPECT_TRUE(r.complete("text"));
    place.run();
    EXPECT_EQ(got, "text");
  });
}

TEST(noexcept_core, pins_children_and_withdrawal) {
  in_each_way([](way how) {
    subject<coded<int>> parent;
    subject<coded<int>> child;
    parent.op.adopt(child.op);
    trail log;
    parent.op.on_cleanup([&] { log.push_back("parent"); });
    child.op.on_cleanup([&] { log.push_back("child"); });
    settle::registration never = child.op.on_done([&] { log.push_back("never"); });
    EXPECT_TRUE(never.withdraw());
    settle::pin p = child.op.pin();
    parent.end(how);
    subject<coded<int>>::drop(child.r);
    EXPECT_TRUE(child.op.is_settled());
    EXPECT_EQ(log, trail{});
    p.reset();
    EXPECT_EQ(log, (trail{"child", "parent"}));
  });
}

struct fixed : coded<int> {
  using cleanup = settle::fixed_cleanup<1>;
};

TEST(noexcept_core, no_room_is_said_and_gives_the_resource_back) {
  int ran = 0;
  {
    subject<fixed> s;
    EXPECT_TRUE(s.op.on_cleanup([&] { ++ran; }));
    EXPECT_FALSE(s.op.on_cleanup([&] { ran += 10; }));
    EXPECT_EQ(ran, 10);
    settle::pin p = s.op.pin();
    EXPECT_EQ(p.try_own<int>(5), nullptr);
    p.reset();
    s.end(way::complete);
  }
  EXPECT_EQ(ran, 11);
}

TEST(noexcept_core, executor_loss) {
  in_each_way([](way how) {
    using policy = coded<int, manual_loop::executor>;
    manual_loop loop;
    subject<policy> s(loop.get_executor());
    int ran = 0;
    s.op.on_done([&] { ++ran; });
    s.op.on_cleanup([&] { ++ran; });
    s.end(how);
    loop.drop_all();
    EXPECT_EQ(ran, 2);
    EXPECT_TRUE(s.op.is_released());
  });
}

TEST(noexcept_core, a_race) {
  crew threads(2);
  for (int round = 0; round != 1000; ++round) {
    subject<coded<int>> s;
    std::atomic<int> done = 0;
    s.op.on_done([&] { ++done; });
    bool won[2] = {};
    threads.run([&](unsigned i) { won[i] = i == 0 ? s.r.complete(1) : s.op.cancel(); });
    ASSERT_NE(won[0], won[1]);
    ASSERT_EQ(done, 1);
  }
}

TEST(noexcept_core, outcomes_and_errors) {
  using out = settle::outcome<int, std::error_code>;
  EXPECT_EQ(out(std::in_place, 3).value(), 3);
  EXPECT_TRUE(out(settle::make_error_code(settle::errc::timed_out)).timed_out());
  EXPECT_EQ(settle::error(settle::errc::closed).code(), settle::errc::closed);
  EXPECT_EQ(out(settle::cancellation(settle::cause::deadline, {}))
                .visit([](int) { return 1; }, [](auto const&) { return 2; }, [](auto const&) { return 3; }),
            3);
}

}  // namespace
