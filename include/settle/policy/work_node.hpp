// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_POLICY_WORK_NODE_HPP
#define SETTLE_POLICY_WORK_NODE_HPP

#include "../detail/work.hpp"
#include "../fwd.hpp"

namespace settle::inline v0 {

/// A piece of user code on its way to an executor, as a node that the executor links into its queue: an executor with
/// `void submit(settle::work_node&) const` is posted to without any allocation, the node lives in the operation.
///
/// Ownership: from `submit` until it calls `run()` or `drop()`, one of them once, the node is the executor's; afterwards it is
/// not to be touched. A `submit` that throws has not taken it. `run()` is for the executor's thread; `drop()` is for an
/// executor that ends with work in its queue: what is left of that work runs on the thread that drops it. Neither throws.
/// Cost: none; the link is a pointer in memory that is there already. For operations of another terminal:
/// `basic_work_node<C>`.
///
/// ```cpp
/// struct loop_executor {
///   run_loop* loop;
///   void submit(settle::work_node& n) const noexcept { loop->queue.push_back(n); }  // n.link() is the queue's
///   bool operator==(loop_executor const&) const = default;
/// };
/// ```
template <class C>
class basic_work_node : public detail::work {
 public:
  basic_work_node() noexcept = default;
  basic_work_node(basic_work_node&&) = delete;

  /// The executor's link, for a queue of its own.
  [[nodiscard]] basic_work_node* link() const noexcept { return static_cast<basic_work_node*>(work::next); }
  /// Sets it.
  void link(basic_work_node* behind) noexcept { work::next = behind; }

  /// Runs the work.
  void run() noexcept {
    detail::work_queue q;
    q.push(this);
    detail::dispatcher<C>::run_submitted(q);
  }
  /// Says that it will never run.
  void drop() noexcept {
    detail::work_queue q;
    q.push(this);
    detail::dispatcher<C>::run_lost(q);
  }
};

/// An executor that takes nodes.
template <class Ex, class C>
concept node_executor = requires(Ex const& ex, basic_work_node<C>& n) { ex.submit(n); };

}  // namespace settle::inline v0

#endif
