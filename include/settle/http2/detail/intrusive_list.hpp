// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_HTTP2_DETAIL_INTRUSIVE_LIST_HPP
#define SETTLE_HTTP2_DETAIL_INTRUSIVE_LIST_HPP

// IWYU pragma: private, include <settle/http2/server.hpp>

namespace settle::inline v0::http2::detail {

/// What an element of an intrusive list derives from, once for each list (Tag) it can be in. Unlinks itself when destroyed.
template <class Tag>
class list_hook {
 public:
  list_hook() noexcept = default;
  list_hook(list_hook const&) = delete;
  list_hook& operator=(list_hook const&) = delete;
  ~list_hook() { unlink(); }

  bool linked() const noexcept { return next_ != this; }

  void unlink() noexcept {
    prev_->next_ = next_;
    next_->prev_ = prev_;
    prev_ = next_ = this;
  }

 private:
  template <class T, class G>
  friend class intrusive_list;

  list_hook* prev_ = this;
  list_hook* next_ = this;
};

/// A doubly linked list through its elements: pushing, unlinking and asking never allocate.
/// Owns nothing. An element may go away at any time except between `next` calls of the same walk.
template <class T, class Tag>
class intrusive_list {
  using hook = list_hook<Tag>;

 public:
  bool empty() const noexcept { return !head_.linked(); }
  T& front() noexcept { return static_cast<T&>(*head_.next_); }

  /// Appends x; one that is in this list (or another of the same tag) already moves.
  void push_back(T& x) noexcept {
    hook& h = x;
    h.unlink();
    h.prev_ = head_.prev_;
    h.next_ = &head_;
    head_.prev_->next_ = &h;
    head_.prev_ = &h;
  }

  T* pop_front() noexcept {
    if (empty()) return nullptr;
    T& x = front();
    static_cast<hook&>(x).unlink();
    return &x;
  }

  /// Calls f(element) for each; f may unlink or destroy the element it is given, no other one.
  template <class F>
  void for_each(F f) {
    for (hook* h = head_.next_; h != &head_;) {
      hook* const following = h->next_;
      f(static_cast<T&>(*h));
      h = following;
    }
  }

 private:
  hook head_;
};

}  // namespace settle::inline v0::http2::detail

#endif
