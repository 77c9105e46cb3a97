// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_EXPLORE_TIMED_STAGE_HPP
#define SETTLE_TESTS_EXPLORE_TIMED_STAGE_HPP

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "clockwork.hpp"
#include "stage.hpp"

namespace explore {

/// Inputs, a clock, and what a combinator made of them.
struct timed_stage {
  clockwork clock;
  std::vector<std::unique_ptr<source<int, timed_executor>>> inputs;
  handle<int> out;
  operation result;
  std::optional<settle::outcome<int>> how;

  explicit timed_stage(int n) {
    for (; n != 0; --n) inputs.push_back(std::make_unique<source<int, timed_executor>>(timed_executor(clock)));
  }
  auto& at(int i) { return *inputs[static_cast<std::size_t>(i)]; }
  void begun(handle<int> h) {
    out = std::move(h);
    result = static_cast<operation const&>(out);
  }
  /// Whatever is pending yet ends.
  void come_to_an_end(end_t rest) {
    while (clock.tick()) {
    }
    for (auto& in : inputs)
      if (in->r) in->end_as(rest, 9);
    while (clock.tick()) {
    }
  }
  void check(weave::world& w) {
    w.expect(result.is_released(), "the result is released");
    w.expect(clock.alive == 0, "no timer is left");
    how = std::move(out).wait();
    for (auto& in : inputs) w.expect(in->op.is_released() && in->cleaned == 1, "an input is released");
  }
};

}  // namespace explore

#endif
