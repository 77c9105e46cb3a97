// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_RAW_BLOCK_HPP
#define SETTLE_COMBINE_DETAIL_RAW_BLOCK_HPP

#include <cstddef>
#include <new>

#include "../../detail/exceptions.hpp"
#include "../../policy/allocator.hpp"

namespace settle::inline v0::detail {

/// Memory for a result that is not made yet. It goes back unless the result takes it over.
template <class Allocator>
class raw_block {
 public:
  /// Throws std::bad_alloc.
  raw_block(std::size_t bytes, std::size_t align)
      : at_(byte_source<Allocator>::allocate(allocator_, bytes, align)), bytes_(bytes), align_(align) {
    if (at_ == nullptr) raise(std::bad_alloc());
  }
  raw_block(raw_block&&) = delete;
  ~raw_block() {
    if (at_ != nullptr) byte_source<Allocator>::deallocate(allocator_, at_, bytes_, align_);
  }

  void* get() const noexcept { return at_; }
  Allocator const& allocator() const noexcept { return allocator_; }
  void release() noexcept { at_ = nullptr; }

 private:
  [[no_unique_address]] Allocator allocator_{};
  void* at_;
  std::size_t bytes_;
  std::size_t align_;
};

}  // namespace settle::inline v0::detail

#endif
