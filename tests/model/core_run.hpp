// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_CORE_RUN_HPP
#define SETTLE_TESTS_MODEL_CORE_RUN_HPP

#include <settle/settle.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "acts.hpp"
#include "core_combine.hpp"
#include "settings.hpp"
#include "situations.hpp"

// The same acts, done to the library.
namespace model {

/// Counts how many of the user's functions are alive.
class alive_token {
 public:
  static inline long count = 0;

  alive_token() noexcept { ++count; }
  alive_token(alive_token const&) noexcept { ++count; }
  ~alive_token() { --count; }
};

/// Three operations of the policy P, in one of these places.
template <class P, class Place>
class core_run {
 public:
  static constexpr bool values_die = !std::is_trivially_destructible_v<typename P::value_type>;
  static constexpr bool values_copied = std::is_copy_constructible_v<typename P::value_type>;
  static constexpr bool queued = Place::queued;

  core_run() {
    for (std::size_t i = 0; i != operations; ++i) subjects_[i] = std::make_unique<subject>(place_.get_executor());
  }
  core_run(core_run&&) = delete;

  int play(step s) {
    if (s.on >= operations && !results_[s.on - operations]) return -1;  // as the model would not: it differs already
    ++depth_;
    int const said = s.on < operations ? call(s, *subjects_[s.on]) : call(s, *results_[s.on - operations]);
    if (--depth_ == 0) place_.rest();
    return said;
  }
  /// That hook does `then`, if the model's did.
  void nest(std::size_t hook, step then) {
    if (nested_.size() <= hook) nested_.resize(hook + 1);
    nested_[hook] = then;
  }
  template <class Model>
  void follows(Model const& m) {
    model_ = &m;
    did_ = [](void const* at, std::size_t hook) { return static_cast<Model const*>(at)->has_nested(hook); };
  }

  void finish() {
    for (int round = 0; round != rounds_at_the_end; ++round) let_go();
    look();
    for (auto& s : subjects_) s->op = {};
    for (auto& s : results_) s.reset();
    place_.run();
    seen_.unseen_failures = static_cast<int>(test::recording_sink::count(settle::monitor_event::unseen_failure));
    test::recording_sink::take();
  }
  picture const& seen() const noexcept { return seen_; }

  /// All that can be seen, but for the reports of failures nobody saw.
  bool agrees(picture const& wanted) {
    look();
    return seen_ == wanted;
  }
  picture const& look() {
    seen_.abandoned = static_cast<int>(test::recording_sink::count(settle::monitor_event::abandoned));
    seen_.misuse = static_cast<int>(test::recording_sink::count(settle::monitor_event::misuse));
    for (std::size_t i = 0; i != operations; ++i) see(i, subjects_[i]->op);
    for (std::size_t i = 0; i != operations; ++i)
      if (results_[i]) see(operations + i, results_[i]->op);
    return seen_;
  }

 private:
  friend combining<core_run>;
  struct subject : test::subject<P> {
    using test::subject<P>::subject;
    bool lent = false;
    settle::watcher<P> watcher;
    std::vector<settle::registration> kept;
    std::vector<settle::pin> pins;
  };
  /// What a combinator has made, whatever it yields.
  struct result {
    settle::operation op;
    std::vector<settle::registration> kept;
    std::vector<settle::pin> pins;

    explicit result(settle::operation o) : op(std::move(o)) {}
    result(result&&) = delete;
    virtual ~result() = default;
    virtual void drop_handle() = 0;
    virtual void detach() = 0;
    virtual void take(core_run& run, std::size_t on) = 0;
  };
  template <class H>
  struct result_of final : result {
    H h;

    explicit result_of(H&& made) : result(made), h(std::move(made)) {}
    void drop_handle() override { subject::drop(h); }
    void detach() override { std::move(h).detach(); }
    void take(core_run& run, std::size_t on) override {
      std::move(h).on_done([w = run.next_writer(on, event::consumer)](auto&& o) { w(o.how()); });
    }
  };

  void let_go() {
    each([](auto& s) { s.kept.clear(); });
    each([](auto& s) {
      while (!s.pins.empty()) {
        settle::pin const last = std::move(s.pins.back());
        s.pins.pop_back();
      }
    });
    for (auto& s : subjects_) s->watcher = {};
    for (auto& s : subjects_) s->h = {};
    for (auto& s : results_)
      if (s) s->drop_handle();
    for (auto& s : subjects_) subject::drop(s->r);
    place_.pass_time();
  }
  template <class F>
  void each(F f) {
    for (auto& s : subjects_) f(*s);
    for (auto& s : results_)
      if (s) f(*s);
  }
  void see(std::size_t i, settle::operation const& op) {
    seen_.of[i].settled = op.is_settled();
    seen_.of[i].released = op.is_released();
    seen_.of[i].requested = op.cancel_requested();
  }

  /// What is registered: writes down that it ran.
  struct writer {
    core_run* run;
    std::size_t on;
    event::kind what;
    unsigned char hook;
    alive_token alive;

    void operator()(settle::ending e) const {
      bool const cancelled = e.kind == settle::ending::cancelled;
      ending const how = e.kind == settle::ending::value ? ending::value : cancelled ? ending::cancelled : ending::failure;
      run->say(on, {what, hook, how, cancelled ? e.cancel.why : settle::cause::requested});
    }
  };
  struct cancel_writer : writer {
    void operator()(settle::cancellation c) const { this->run->say(this->on, {this->what, this->hook, ending::cancelled, c.why}); }
  };
  struct taker : writer {
    using outcome = settle::outcome<typename P::value_type, typename P::error_type>;
    void operator()(outcome&& o) const { static_cast<writer const&>(*this)(o.how()); }
  };
  struct loser : writer {
    void operator()(typename P::value_type&&) const noexcept { this->run->say(this->on, {event::lost, 0, ending::value}); }
  };

  void say(std::size_t on, event e) {
    seen_.of[on].seen.push_back(e);
    if (e.what == event::lost || e.what == event::bound || e.what == event::called || e.hook >= nested_.size() || !nested_[e.hook]) return;
    if (did_(model_, e.hook)) play(*nested_[e.hook]);
  }
  writer next_writer(std::size_t on, event::kind what) { return {this, on, what, hooks_++, {}}; }

  int call(step s, subject& x) {
    std::size_t const i = s.on;
    subject& next = *subjects_[(i + 1) % operations];
    subject& previous = *subjects_[(i + 2) % operations];
    switch (s.what) {
      case act::complete:
        return x.r.complete(typename P::value_type(static_cast<int>(i) + 1));
      case act::fail:
        return x.r.fail(P::make_error(settle::errc::closed));
      case act::acknowledge:
        return x.r.cancel();
      case act::adopt_next:
        return adopt(x, next);
      case act::adopt_previous:
        return adopt(x, previous);
      case act::drop_handle:
        subject::drop(x.h);
        return -1;
      case act::detach:
        std::move(x.h).detach();
        return -1;
      case act::drop_resolver:
        subject::drop(x.r);
        return -1;
      case act::watch:
        x.watcher = x.h.watch();
        return -1;
      case act::drop_watcher:
        x.watcher = {};
        return -1;
      case act::bind_to_next:
        return bind(i, x, next);
      case act::on_lost:
        x.h = std::move(x.h).on_lost(loser{{this, i, event::lost, 0, {}}});
        return -1;
      case act::take:
        std::move(x.h).on_done(taker{next_writer(i, event::consumer)});
        return -1;
      case act::run:
        place_.run();
        return -1;
      case act::time:
        place_.pass_time();
        return -1;
      case act::lend:
        x.lent = true;
        return -1;
      default:
        if (takes_two(s.what) || takes_one(s.what)) return combining<core_run>(*this, i).play(s.what, x, next);
        return call_any(s, x);
    }
  }
  int call(step s, result& x) {
    switch (s.what) {
      case act::drop_handle:
        x.drop_handle();
        return -1;
      case act::detach:
        x.detach();
        return -1;
      case act::take:
        x.take(*this, s.on);
        return -1;
      default:
        return call_any(s, x);
    }
  }
  /// What can be done to an operation without knowing what it yields.
  template <class X>
  int call_any(step s, X& x) {
    std::size_t const i = s.on;
    switch (s.what) {
      case act::request_cancel:
        return x.op.request_cancel(settle::cause::deadline);
      case act::cancel:
        return x.op.cancel(settle::cause::overload);
      case act::on_done:
        x.op.on_done(next_writer(i, event::done));
        return -1;
      case act::watched_done:
        x.kept.push_back(x.op.on_done(next_writer(i, event::done)));
        return -1;
      case act::on_cancel:
        x.kept.push_back(x.op.on_cancel(cancel_writer{next_writer(i, event::cancel)}));
        return -1;
      case act::on_cleanup:
        return x.op.on_cleanup(next_writer(i, event::cleanup));
      case act::on_released:
        x.kept.push_back(x.op.on_released(next_writer(i, event::released)));
        return -1;
      case act::withdraw: {
        if (x.kept.empty()) return -1;  // as the model would not: it differs already
        settle::registration last = std::move(x.kept.back());
        x.kept.pop_back();
        return last.withdraw();
      }
      case act::forget:
        if (x.kept.empty()) return -1;
        x.kept.pop_back();
        return -1;
      case act::pin:
        if (settle::pin p = x.op.pin()) x.pins.push_back(std::move(p));
        else return 0;
        return 1;
      case act::unpin: {
        if (x.pins.empty()) return -1;
        settle::pin const last = std::move(x.pins.back());  // what runs when it goes may pin again
        x.pins.pop_back();
        return -1;
      }
      default:
        return -1;
    }
  }

  template <class H>
  int keep(std::size_t i, H&& h) {
    results_[i] = std::make_unique<result_of<H>>(std::move(h));
    results_[i]->op.on_done(next_writer(operations + i, event::done));
    return -1;
  }

  static int adopt(subject& parent, subject& child) {
    if (child.h) parent.op.adopt(std::move(child.h));
    else parent.op.adopt(child.op);
    return -1;
  }
  int bind(std::size_t i, subject& about, subject& where) {
    settle::registration r = about.op.on_done(settle::bound_to(where.op), writer{this, i, event::bound, hooks_, {}});
    if (!r) return -1;
    ++hooks_;
    about.kept.push_back(std::move(r));
    return -1;
  }

  Place place_;
  picture seen_;
  unsigned char hooks_ = 0;
  int depth_ = 0;  // of calls from within user code
  std::vector<std::optional<step>> nested_;
  void const* model_ = nullptr;
  bool (*did_)(void const*, std::size_t) = nullptr;
  std::array<std::unique_ptr<subject>, operations> subjects_;
  std::array<std::unique_ptr<result>, operations> results_;  // of the subject with that number, and the next
};

}  // namespace model

#endif
