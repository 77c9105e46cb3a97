// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_ASSEMBLY_USE_HPP
#define SETTLE_TESTS_ASSEMBLY_USE_HPP

#include <settle/settle.hpp>

#include <utility>

// The life of an operation, all ends and every kind of hook, for whatever policy is looked at.
extern void user_code() noexcept;

template <class P>
void live() {
  settle::resolver<P> parent;
  settle::resolver<P> r(parent.op());
  settle::handle<P> h = r.get_handle();
  r.on_cleanup([]() noexcept { user_code(); });
  r.on_cancel([] { user_code(); });
  h.on_done([](auto const&) { user_code(); });
  auto kept = h.on_released([] { user_code(); });
  kept.withdraw();
  auto pin = h.pin();
  auto watcher = h.watch();
  h.request_cancel();
  pin.reset();
  if (!r.complete(42)) r.fail(settle::errc::closed);
  settle::shared_resolver<P> a(std::move(parent));
  settle::shared_resolver<P> b(a);
  if (!a.complete(1)) b.cancel();
  h.cancel();
  std::move(h).on_done([](auto&&) { user_code(); });
}

#endif
