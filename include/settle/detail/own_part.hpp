// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_OWN_PART_HPP
#define SETTLE_DETAIL_OWN_PART_HPP

#include "state.hpp"

namespace settle::inline v0::detail {

/// What an operation has in its own block besides: it goes in turn with the cleanups.
template <class C>
struct own_part {
  state_base<C>* self;
  void operator()() const noexcept { self->table->close(*self); }
};

}  // namespace settle::inline v0::detail

#endif
