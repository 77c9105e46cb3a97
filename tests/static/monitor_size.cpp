// SPDX-License-Identifier: BSL-1.0
// Being recorded, or not, takes no room in an operation.
#include <settle/settle.hpp>

namespace {

struct silent : settle::default_policy {
  using value_type = int;
};
struct counted : silent {
  using monitor = settle::counting_monitor<>;
};

static_assert(sizeof(settle::detail::cell<silent>) == sizeof(settle::detail::cell<counted>));
static_assert(sizeof(settle::detail::cell<silent>) <= 128);

}  // namespace
