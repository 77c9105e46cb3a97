// SPDX-License-Identifier: BSL-1.0
// A coroutine lambda asks about its own closure before that is complete, so closures are told by their names.
#include <settle/settle.hpp>

#include <functional>
#include <string>
#include <vector>

namespace {

using settle::detail::is_closure;

template <class F>
struct wrapper {
  F f;
};

[[maybe_unused]] auto const at_namespace_scope = [] {};
[[maybe_unused]] auto const takes = [](std::vector<std::vector<int>> const&, auto) mutable { return [] {}; };

template <class T>
auto in_a_template() {
  return [](T const&) { return 1; };
}

struct outer {
  auto member() {
    return [this] { return this; };
  }
};

[[maybe_unused]] auto const a_class_in_a_lambda = [] {
  struct inner {};
  return inner();
};

static_assert(is_closure<std::remove_const_t<decltype(at_namespace_scope)>>());
static_assert(is_closure<std::remove_const_t<decltype(takes)>>());
static_assert(is_closure<decltype(in_a_template<std::vector<int>>())>());
static_assert(is_closure<decltype(outer().member())>());

static_assert(!is_closure<int>());
static_assert(!is_closure<outer>());
static_assert(!is_closure<std::string>());
static_assert(!is_closure<std::vector<std::vector<int>>>());
static_assert(!is_closure<settle::inline_executor>());
static_assert(!is_closure<std::function<void()>>());
static_assert(!is_closure<wrapper<std::remove_const_t<decltype(at_namespace_scope)>>>());
static_assert(!is_closure<decltype(a_class_in_a_lambda())>());

// With g++ 16 the first of these warned of itself.
auto const cold = []() -> settle::handle_of<void> { co_return; };
auto const hot = [](settle::inline_executor) -> settle::handle_of<void> { co_return; };
static_assert(!settle::detail::promise_start<settle::plain<void>, decltype(settle::detail::start_of<decltype(cold)&>())>::hot);
static_assert(
    settle::detail::promise_start<settle::plain<void>, decltype(settle::detail::start_of<decltype(hot)&, settle::inline_executor>())>::hot);

}  // namespace

auto is_closure_uses() { return cold().detach() == hot(settle::inline_executor()).detach(); }
