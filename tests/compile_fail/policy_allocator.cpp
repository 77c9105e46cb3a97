// SPDX-License-Identifier: BSL-1.0
// expect: settle: policy's `allocator_type` must be a standard allocator of std::byte
#include <settle/settle.hpp>

#include <memory>

#ifdef SETTLE_REJECT
struct chosen : settle::default_policy {
  using allocator_type = std::allocator<int>;
};
#else
struct chosen : settle::default_policy {
  using allocator_type = std::allocator<std::byte>;
};
#endif

template class settle::resolver<chosen>;
