// SPDX-License-Identifier: BSL-1.0
// One operation: a producer, an observer, a cleanup, a consumer.
#include <settle/settle.hpp>

#include <string>
#include <utility>

int use(std::string const& text) {
  int seen = 0;
  settle::resolver_of<std::string> r;
  settle::handle_of<std::string> h = r.get_handle();
  h.on_cleanup([&seen]() noexcept { ++seen; });
  h.on_done([&seen](auto const& out) { seen += out.has_value() ? 1 : 0; });
  std::move(h).on_done([&seen](auto&& out) { seen += static_cast<int>(out.value().size()); });
  r.complete(text);
  return seen;
}
