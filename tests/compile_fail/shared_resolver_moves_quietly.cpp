// SPDX-License-Identifier: BSL-1.0
// expect: settle: the value of a shared_resolver must be nothrow move constructible
#include <settle/settle.hpp>

#include <utility>

struct quiet {
  quiet() = default;
  quiet(quiet&&) noexcept {}
};
struct loud {
  loud() = default;
  loud(loud&&) {}
};
#ifdef SETTLE_REJECT
using value = loud;
#else
using value = quiet;
#endif

template class settle::shared_resolver<settle::plain<value>>;
