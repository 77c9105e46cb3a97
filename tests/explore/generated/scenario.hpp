// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_EXPLORE_GENERATED_SCENARIO_HPP
#define SETTLE_TESTS_EXPLORE_GENERATED_SCENARIO_HPP

#include <settle/settle.hpp>
#include <settle/testing/weave.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "books.hpp"

// One operation, and threads that each do one thing to it with references of their own. The last reference may be any
// thread's. Nothing is held beside: what no thread was given is let go, or settled when they are through.
namespace explore {

enum class act : unsigned char {
  complete,
  fail,
  cancel,
  request,
  on_done,
  on_cleanup,
  on_cancel,
  watch,
  bind,
  pin,
  adopt,
  cancel_parent,
  settle_parent,
  drop_handle,
  drop_resolver,
  observe,
  await,
  destroy_awaiting
};
inline constexpr char const* act_names[] = {"complete",
                                            "fail",
                                            "cancel",
                                            "request_cancel",
                                            "on_done",
                                            "on_cleanup",
                                            "on_cancel",
                                            "watch and withdraw",
                                            "a hook bound to another operation",
                                            "pin and unpin",
                                            "adopt",
                                            "cancel the parent",
                                            "settle the parent",
                                            "drop the handle",
                                            "drop the resolver",
                                            "observe",
                                            "co_await",
                                            "destroy an awaiting coroutine"};
inline constexpr std::size_t acts = std::size(act_names);

inline bool needs_parent(act a) { return a == act::cancel_parent || a == act::settle_parent; }
inline bool produces(act a) { return a == act::complete || a == act::fail || a == act::drop_resolver; }

/// Waits for an operation it owns, and yields what that yields.
template <class P>
settle::handle<P> join(settle::inline_executor, settle::handle<P> h, std::shared_ptr<books> b) {
  auto v = co_await std::move(h);
  b->told(settle::ending::value, number_of(v));
  co_return v;
}
/// Looks at one that another owns.
template <class P>
settle::handle<P> look(settle::inline_executor, settle::watcher<P> w, std::shared_ptr<books> b) {
  auto const& o = co_await w.settled();  // or taken meanwhile
  if (o.has_value()) b->told(settle::ending::value, number_of(o.value()));
  co_return typename P::value_type(0);
}

template <class V, bool Monitored>
class scenario {
  using P = policy<V, Monitored>;
  using resolver = settle::resolver<P>;
  using shared_resolver = settle::shared_resolver<P>;
  using handle = settle::handle<P>;
  using watcher = settle::watcher<P>;

 public:
  scenario(weave::world& w, std::vector<act> const& todo, bool with_parent)
      : w_(w), todo_(todo), with_parent_(with_parent), b_(std::make_shared<books>()) {
    b_->w = &w;
    if constexpr (Monitored) {
      live_ = std::make_shared<std::map<void const*, settle::monitor_event::what_t>>();
      automaton::live = live_.get();
      automaton::w = &w;
    }
    token::alive = 0;
    make();
    for (std::size_t i = 0; i != todo.size(); ++i) add(i);
    finish();
  }

 private:
  void make() {
    if (with_parent_) {
      parent_ = std::make_shared<resolver>();
      parent_op_ = parent_->op();
      parent_->on_cleanup([b = b_] { b->clean_parent(); });
      resolver_ = std::make_shared<resolver>(parent_op_);
      b_->subject_has_cleanup = true;
      resolver_->on_cleanup([b = b_] { b->child_cleaned = true; });
      if (std::count(todo_.begin(), todo_.end(), act::bind) == 0) observe_subject();  // a bound hook observes enough
    } else {
      resolver_ = std::make_shared<resolver>();
    }
    op_ = resolver_->op();
    handle_ = std::make_shared<handle>(resolver_->get_handle());
    std::size_t producers = 0;
    std::size_t users = 0;
    for (act a : todo_) {
      producers += produces(a) ? 1 : 0;
      users += a >= act::drop_handle && !produces(a) ? 1 : 0;
    }
    if (users > 1 || std::count(todo_.begin(), todo_.end(), act::observe) != 0) watcher_ = handle_->watch();
    if (producers > 1) shared_ = shared_resolver(std::move(*resolver_));
  }

  void observe_subject() {
    resolver_->op().on_done([b = b_](settle::ending e) {
      if (e.kind == settle::ending::value) return;
      b->told(e.kind, 0);
      if (e.kind == settle::ending::cancelled) b->told_why = e.cancel.why;
    });
  }

  /// The threads: equal ones that get equal references are twins.
  template <class F>
  void thread(std::size_t i, bool like_the_one_before, F f) {
    std::string const name = std::string(act_names[static_cast<std::size_t>(todo_[i])]) + " (" + std::to_string(i) + ")";
    if (like_the_one_before && i != 0 && todo_[i - 1] == todo_[i]) w_.twin(name, std::move(f));
    else w_.thread(name, std::move(f));
  }
  operation reference() const { return op_; }

  void add(std::size_t i) {
    auto b = b_;
    switch (todo_[i]) {
      case act::complete:
      case act::fail:
      case act::drop_resolver:
        return produce(i);
      case act::cancel:
        return thread(i, false, [b, i, op = reference()]() mutable {
          settle::cause const why = i % 2 == 0 ? settle::cause::overload : settle::cause::disconnect;
          bool const won = op.cancel(why);
          b->win(won, settle::ending::cancelled);
          if (won) b->won_for = why;
          op = {};
        });
      case act::request:
        return thread(i, true, [op = reference()]() mutable {
          op.request_cancel(settle::cause::deadline);
          op = {};
        });
      case act::pin:
        return thread(i, true, [b, i, op = reference()]() mutable {
          auto p = op.pin();
          op = {};
          if (!p) return;
          b->pinned[i] = true;
          b->pinned[i] = false;
        });
      case act::bind:
        homes_.push_back(std::make_shared<resolver>());
        return thread(i, true, [b, i, op = reference(), home = homes_.back()->op()]() mutable {
          b->done[i].registered = true;
          op.on_done(settle::bound_to(std::move(home)), [b, i](settle::ending e) {
            ++b->done[i].runs;
            if (e.kind != settle::ending::value) b->told(e.kind, 0);
          });
          op = {};
        });
      case act::adopt:
        return thread(i, true, [b, op = reference()]() mutable {
          resolver child;
          bool const too_late = op.is_settled();
          op.adopt(child.op());
          op = {};
          b->expect(!too_late || child.op().cancel_requested(), "G8: adopted by a settled operation, and not asked to cancel");
        });
      case act::cancel_parent:
        return thread(i, true, [p = parent_op_]() mutable {
          p.cancel();
          p = {};
        });
      case act::settle_parent:
        return settle_parent(i);
      default:
        return is_hook(todo_[i]) ? hook(i) : use_handle(i);
    }
  }
  static bool is_hook(act a) { return a == act::on_done || a == act::on_cleanup || a == act::on_cancel || a == act::watch; }

  void produce(std::size_t i) {
    auto b = b_;
    act const a = todo_[i];
    int const number = static_cast<int>(i) + 1;
    auto const settle = [b, a, number, i](auto& r) {
      b->producing[i] = true;
      b->payload[static_cast<std::size_t>(number)] = number;
      b->producing[i] = false;
      if (a == act::complete) b->win(r.complete(V(number)), settle::ending::value);
      else if (a == act::fail) b->win(r.fail(settle::errc::closed), settle::ending::failure);
    };
    if (!shared_) {
      thread(i, false, [settle, r = resolver_]() mutable {
        resolver mine(std::move(*r));
        settle(mine);
      });
    } else {
      thread(i, false, [settle, r = shared_]() mutable {
        shared_resolver mine(std::move(r));
        settle(mine);
      });
    }
  }

  void settle_parent(std::size_t i) {
    if (std::shared_ptr<resolver> const mine = std::exchange(parent_, nullptr)) {
      thread(i, false, [mine] {
        resolver r(std::move(*mine));
        r.complete(V(7));
      });
    } else {
      thread(i, false, [p = parent_op_]() mutable {
        p.request_cancel();
        p = {};
      });
    }
  }

  void hook(std::size_t i) {
    thread(i, true, [b = b_, i, a = todo_[i], op = reference()]() mutable {
      auto const observer = [b, i](settle::ending e) {
        ++b->done[i].runs;
        if (e.kind != settle::ending::value) b->told(e.kind, 0);
      };
      if (a == act::on_done) {
        b->done[i].registered = true;
        op.on_done(observer);
      } else if (a == act::on_cancel) {
        b->cancel[i].registered = true;
        op.on_cancel([b, i] { ++b->cancel[i].runs; });
      } else if (a == act::on_cleanup) {
        b->cleanup[i].registered = true;
        b->registered_by[i] = weave::sync::this_thread_id();
        b->registering[i] = &op;
        op.on_cleanup([b, i] { b->clean(i); });
        b->registering[i] = nullptr;
      } else {
        b->done[i].registered = true;
        auto r = op.on_done(observer);
        b->done[i].withdrawn = r.withdraw();
      }
      op = {};
    });
  }

  void use_handle(std::size_t i) {
    auto b = b_;
    act const a = todo_[i];
    if (a == act::observe) {
      return thread(i, true, [b, o = watcher_]() mutable {
        bool const settled = o.is_settled();
        bool const released = o.is_released();
        auto const* const first = o.peek();
        b->expect(!settled || first != nullptr, "settled, and then it was not");
        b->expect(!released || settled || o.is_settled(), "released before it was settled");
        if (first != nullptr && first->has_value()) b->told(settle::ending::value, number_of(first->value()));
        o = watcher();
      });
    }
    bool const owner = handle_is_free_;
    handle_is_free_ = false;
    auto h = owner ? handle_ : nullptr;
    watcher seen = owner ? watcher() : watcher_;
    if (a == act::drop_handle) {
      thread(i, !owner && i > 1, [h, o = seen]() mutable {
        if (h) *h = handle();
        o = watcher();
      });
    } else if (a == act::await) {
      thread(i, !owner && i > 1, [b, h, o = seen]() mutable {
        auto c = h ? join<P>({}, std::move(*h), b) : look<P>({}, std::move(o), b);
        static_cast<void>(std::move(c).detach());
      });
    } else {
      auto const c = std::make_shared<handle>(h ? join<P>({}, std::move(*h), b) : look<P>({}, std::move(seen), b));
      thread(i, false, [c] {
        handle mine(std::move(*c));
        static_cast<operation const&>(mine).cancel();
      });
    }
  }

  /// What is left when the threads are through: somebody has to settle it.
  void finish() {
    if (handle_is_free_ && !with_parent_) static_cast<void>(std::move(*handle_).detach());
    w_.finally([b = b_, r = resolver_, h = handle_, p = parent_, live = live_, homes = homes_] {
      if (*r) {
        b->payload[0] = 0;
        r->complete(V(0));
      }
      *h = handle();
      if (p && *p) p->complete(V(7));
      for (auto const& home : homes) home->complete(V(8));
      b->close();
      b->expect(token::alive == 0, "G15: a value is left");
      if (live) b->expect(live->empty(), "G16: operations are left");
    });
  }

  weave::world& w_;
  std::vector<act> const& todo_;
  bool with_parent_;
  std::shared_ptr<books> b_;
  std::shared_ptr<std::map<void const*, settle::monitor_event::what_t>> live_;
  std::shared_ptr<resolver> parent_;
  operation parent_op_;
  std::shared_ptr<resolver> resolver_;
  shared_resolver shared_;
  std::vector<std::shared_ptr<resolver>> homes_;  // of bound hooks: they outlive the subject
  operation op_;
  std::shared_ptr<handle> handle_;
  bool handle_is_free_ = true;
  watcher watcher_;
};

}  // namespace explore

#endif
