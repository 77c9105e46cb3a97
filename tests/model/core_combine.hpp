// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_CORE_COMBINE_HPP
#define SETTLE_TESTS_MODEL_CORE_COMBINE_HPP

#include <settle/settle.hpp>

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

#include "acts.hpp"

// The library's combinators, over the operations of a run.
namespace model {

template <class Run>
class combining;
template <template <class, class> class Run, class P, class Place>
class combining<Run<P, Place>> {
  using run_type = Run<P, Place>;
  using value_type = typename P::value_type;
  using handle = settle::handle<P>;

 public:
  combining(run_type& run, std::size_t i) noexcept : run_(run), i_(i) {}

  template <class Subject>
  int play(act what, Subject& x, Subject& next) {
    switch (what) {
      case act::all:
        return of_two(x, next, [](auto&& a, auto&& b) { return settle::all(std::move(a), std::move(b)); });
      case act::race:
        return of_two(x, next, [](auto&& a, auto&& b) { return settle::race(std::move(a), std::move(b)); });
      case act::any:
        return of_two(x, next, [](auto&& a, auto&& b) { return settle::any(std::move(a), std::move(b)); });
      case act::all_settled:
        return of_two(x, next, [](auto&& a, auto&& b) { return settle::all_settled(std::move(a), std::move(b)); });
      case act::then:
        return of_one(x, [&](auto&& h) { return settle::then(std::move(h), passer{&run_, i_}); });
      case act::or_else:
        return of_one(x, [&](auto&& h) { return settle::or_else(std::move(h), mender{&run_, i_}); });
      case act::finally:
        return of_one(x, [&](auto&& h) { return settle::finally(std::move(h), farewell{&run_, i_}); });
      case act::via:
        return of_one(x, [](auto&& h) { return settle::via(std::move(h), settle::inline_executor()); });
      case act::within:
        return of_one(x, [&](auto&& h) { return run_.place_.within(std::move(h)); });
      default:
        return of_functions(what, std::move(x.h), std::move(next.h));
    }
  }

 private:
  template <class Subject, class F>
  int of_one(Subject& x, F f) {
    if constexpr (run_type::values_copied) {
      if (x.lent) return run_.keep(i_, f(x.h.watch()));
    }
    return run_.keep(i_, f(std::move(x.h)));
  }
  template <class Subject, class F>
  int of_two(Subject& x, Subject& next, F f) {
    if constexpr (run_type::values_copied) {
      if (x.lent && next.lent) return run_.keep(i_, f(x.h.watch(), next.h.watch()));
      if (x.lent) return run_.keep(i_, f(x.h.watch(), std::move(next.h)));
      if (next.lent) return run_.keep(i_, f(std::move(x.h), next.h.watch()));
    }
    return run_.keep(i_, f(std::move(x.h), std::move(next.h)));
  }
  int of_functions(act what, handle&& a, handle&& b) {
    std::vector<std::size_t> const items{0, 1};
    if (what == act::bracket)
      return run_.keep(
          i_, settle::bracket([h = std::move(a)]() mutable { return std::move(h); }, user{{&run_, i_}, std::move(b)}, giver{&run_, i_}));
    maker make{{&run_, i_}, {std::move(a), std::move(b)}};
    if (what == act::retry) return run_.keep(i_, settle::retry(run_.place_.attempts(), std::move(make)));
    if (what == act::hedge) return run_.keep(i_, settle::hedge(std::chrono::milliseconds(10), items, std::move(make)));
    return run_.keep(i_, settle::map_concurrent(items, 1, std::move(make)));
  }

  /// The functions of steps. They are as trivial as can be: there is nothing to destroy.
  struct function {
    run_type* run;
    std::size_t i;
    void called(unsigned char n, ending how, settle::cause why = settle::cause::requested) const {
      run->say(operations + i, {event::called, n, how, why});
    }
  };
  struct passer : function {
    value_type operator()(value_type v) const {
      this->called(0, ending::value);
      return v;
    }
  };
  struct mender : function {
    value_type operator()(typename P::error_type const&) const {
      this->called(0, ending::failure);
      return value_type(9);
    }
  };
  struct farewell : function {
    void operator()(settle::ending e) const {
      if (e.kind == settle::ending::cancelled) this->called(0, ending::cancelled, e.cancel.why);
      else this->called(0, e.kind == settle::ending::value ? ending::value : ending::failure);
    }
  };
  /// Those of a bracket. What has not been called goes with the function that keeps it.
  struct user : function {
    handle next;
    handle operator()(value_type const&) {
      this->called(0, ending::value);
      return std::move(next);
    }
  };
  struct giver : function {
    void operator()(value_type const&) const { this->called(1, ending::value); }
  };
  /// The first is called for by the caller, the second by the combinator.
  struct maker : function {
    handle both[2];
    handle operator()(std::size_t n) {
      if (n == 1) this->called(1, ending::value);
      return std::move(both[n]);
    }
  };

  run_type& run_;
  std::size_t i_;
};

}  // namespace model

#endif
