// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_WORK_HPP
#define SETTLE_DETAIL_WORK_HPP

#include <cstdint>

namespace settle::inline v0::detail {

/// What a queue holds: a hook by itself (`feed`: one to be fed), or a state in one of its roles. A state is in one queue at most.
enum class role : std::uint8_t { hook, feed, walk_request, walk_settled, sequence, release, dispose, errand };

struct work {
  work* next;  // written by whoever queues it
  role as = role::hook;

  // Every store counts, and most of them are never queued.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init,modernize-use-equals-default)
  work() noexcept {}
};

/// A first-in first-out chain of work, linked through the work itself: queueing never allocates.
class work_queue {
 public:
  bool empty() const noexcept { return head_ == nullptr; }
  work* front() const noexcept { return head_; }
  void push(work* w) noexcept {
    w->next = nullptr;
    if (head_ == nullptr) head_ = w;
    else tail_->next = w;
    tail_ = w;
  }
  void push_front(work* w) noexcept {
    w->next = head_;
    if (head_ == nullptr) tail_ = w;
    head_ = w;
  }
  work* pop() noexcept {
    work* w = head_;
    head_ = w->next;
    return w;
  }
  void append(work_queue& other) noexcept {
    while (!other.empty()) push(other.pop());
  }

 private:
  work* head_ = nullptr;
  work* tail_ = nullptr;
};

}  // namespace settle::inline v0::detail

#endif
