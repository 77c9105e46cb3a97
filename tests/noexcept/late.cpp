// SPDX-License-Identifier: BSL-1.0
// What comes late or beside others, and the census's report, without exceptions and type information.
#include <settle/observe/census_report.hpp>
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "situations.hpp"

namespace {

using namespace test;
using number = counted<int>;

TEST(noexcept_late, a_callback_of_what_is_settled_runs_at_once) {
  subject<number> s;
  settle::operation const op = s.op;
  s.end(way::complete);
  int ran = 0;
  settle::done_callback const done(op, [&] { ++ran; });
  EXPECT_EQ(ran, 1);
  subject<number> asked;
  asked.op.request_cancel();
  settle::cancel_callback const cancelled(asked.op, [&] { ++ran; });
  EXPECT_EQ(ran, 2);
  asked.end(way::cancel);
}

TEST(noexcept_late, a_cleanup_of_what_is_released_runs_at_once) {
  struct fixed : number {
    using cleanup = settle::fixed_cleanup<2>;
  };
  subject<fixed> s;
  s.end(way::complete);
  int ran = 0;
  EXPECT_FALSE(s.op.on_cleanup([&] { ++ran; }));
  EXPECT_EQ(ran, 1);
}

TEST(noexcept_watched, the_owner_takes_a_copy) {
  subject<number> s;
  auto const w = s.h.watch();
  int got = 0;
  std::move(s.h).on_done([&](settle::outcome<int>&& o) { got = std::move(o).value(); });
  s.end(way::complete);
  EXPECT_EQ(got, 42);
  ASSERT_NE(w.peek(), nullptr);
  EXPECT_EQ(w.peek()->value(), 42);
}

settle::census_entry entry(settle::census_phase phase, bool requested, std::uint32_t holds, std::uint32_t children) {
  settle::census_entry e;
  e.phase = phase;
  e.now.requested = requested;
  e.now.holds = holds;
  e.children = children;
  return e;
}

TEST(noexcept_census, says_what_an_operation_waits_for) {
  using settle::census_phase;
  using words = std::vector<std::string>;
  EXPECT_EQ(settle::reasons(entry(census_phase::pending, false, 2, 0)), (words{"producer", "1 pin"}));
  EXPECT_EQ(settle::reasons(entry(census_phase::pending, true, 4, 1)), (words{"producer, asked to stop", "1 child", "2 pins"}));
  EXPECT_EQ(settle::reasons(entry(census_phase::settled, false, 3, 2)), (words{"2 children", "1 pin or producer"}));
  EXPECT_EQ(settle::reasons(entry(census_phase::released, false, 0, 0)), words{"referred to"});
  settle::census_entry first = entry(census_phase::pending, false, 2, 0);
  first.parent = 2;
  settle::census_entry second = entry(census_phase::settled, false, 1, 1);
  second.tag = "rpc";
  second.how = settle::monitor_event::cancelled;
  second.why = settle::cause::overload;
  settle::census_entry third = entry(census_phase::settled, false, 1, 0);
  third.how = settle::monitor_event::value;
  std::string const text = settle::census_text({first, second, third});
  for (char const* part : {"(no tag): 1 pending, 1 settled", "rpc: 1 settled", "child of #2", "waits for: producer, 1 pin",
                           "rpc settled (cancelled, overload)", "waits for: 1 child", "settled (value)"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
}

}  // namespace
