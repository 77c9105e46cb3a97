// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_ROW_HPP
#define SETTLE_COMBINE_DETAIL_ROW_HPP

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace settle::inline v0::detail {

/// Objects one behind the other, in memory that somebody else looks after and that has room for them.
template <class T>
class row {
 public:
  using value_type = T;

  row(void* at, std::size_t room) noexcept : first_(static_cast<T*>(at)), room_(room) {}
  row(row&& o) noexcept : first_(o.first_), size_(std::exchange(o.size_, 0)), room_(o.room_) {}
  row& operator=(row&&) = delete;
  ~row() { clear(); }

  template <class V>
  void add(V&& v) {
    ::new (static_cast<void*>(first_ + size_)) T(std::forward<V>(v));
    ++size_;
  }
  T& add() noexcept {
    T* const made = ::new (static_cast<void*>(first_ + size_)) T;
    ++size_;
    return *made;
  }
  void add_until(std::size_t n) noexcept {
    while (size_ != n) add();
  }
  void clear() noexcept { std::destroy_n(first_, std::exchange(size_, 0)); }

  T* begin() const noexcept { return first_; }
  T* end() const noexcept { return first_ + size_; }
  T& operator[](std::size_t i) const noexcept { return first_[i]; }
  std::size_t size() const noexcept { return size_; }
  std::size_t room() const noexcept { return room_; }
  bool empty() const noexcept { return size_ == 0; }
  bool full() const noexcept { return size_ == room_; }

 private:
  T* first_;
  std::size_t size_ = 0;
  std::size_t room_;
};

}  // namespace settle::inline v0::detail

#endif
