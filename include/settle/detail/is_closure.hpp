// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_IS_CLOSURE_HPP
#define SETTLE_DETAIL_IS_CLOSURE_HPP

#include <cstddef>
#include <string_view>

namespace settle::inline v0::detail {

/// T is the type of a lambda expression. It may be asked while that lambda's body is compiled, when the type is not complete
/// yet and nothing else may be asked of it, not even whether it is complete: g++ 16 warns of the answer. So the name tells.
template <class T>
consteval bool is_closure() {
  std::string_view name = __PRETTY_FUNCTION__;  // g++: [with T = f()::<lambda(int)>]; clang: [T = (lambda at f.cpp:1:2)]
  name.remove_suffix(1);
  if (!name.ends_with(')') && !name.ends_with('>')) return false;
  char const close = name.back();
  char const open = close == ')' ? '(' : '<';
  std::size_t at = name.size();
  int depth = 0;
  do {
    --at;
    depth += name[at] == close ? 1 : name[at] == open ? -1 : 0;
  } while (depth != 0 && at != 0);
  std::string_view const last = name.substr(at);
  return last.starts_with("<lambda") || last.starts_with("(lambda at ");
}

}  // namespace settle::inline v0::detail

#endif
