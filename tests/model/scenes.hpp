// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_SCENES_HPP
#define SETTLE_TESTS_MODEL_SCENES_HPP

#include <settle/settle.hpp>

#include <utility>

#include "combined_scenes.hpp"
#include "situations.hpp"
#include "sweep_world.hpp"

// A fixed set of things that programs do, each of them complete. The sweeps run them with one fault after another.
namespace sweep {

/// One operation with every kind of hook, watched, pinned, and taken from.
template <class Place>
void everything_on_one(world<Place>& w) {
  using P = swept<touchy, typename Place::executor>;
  subject<P> s(w.get_executor());
  w.all_of_them(s.op);
  s.h.watch().on_done([](settle::outcome<touchy> const& o) {
    if (o) trouble::user_call();
  });
  std::move(s.h).on_done([](settle::outcome<touchy>&& o) {
    if (o) touchy const mine(std::move(o).value());
  });
  w.ending([&] {
    settle::pin const held = s.op.pin();
    s.r.complete(touchy(1));
    subject<P>::drop(s.r);
  });
}

/// Three levels, asked, forced from the top, with the producers going last.
template <class Place>
void a_tree_forced(world<Place>& w) {
  using P = swept<int, typename Place::executor>;
  subject<P> top(w.get_executor());
  subject<P> middle(w.get_executor());
  subject<P> leaf(w.get_executor());
  for (auto* s : {&top, &middle, &leaf}) w.all_of_them(s->op);
  top.op.adopt(std::move(middle.h));
  middle.op.adopt(leaf.op);
  w.ending([&] {
    leaf.op.request_cancel();
    top.op.cancel(settle::cause::shutdown);
    subject<P>::drop(leaf.r);
    subject<P>::drop(middle.r);
    subject<P>::drop(top.r);
  });
}

/// A value whose owner went away, for which a function waits; and one that nobody waits for.
template <class Place>
void lost_values(world<Place>& w) {
  using P = swept<touchy, typename Place::executor>;
  subject<P> s(w.get_executor());
  subject<P> t(w.get_executor());
  w.cleanup(s.op);
  w.done(t.op);
  s.h = std::move(s.h).on_lost([](touchy&&) noexcept {});
  subject<P>::drop(s.h);
  w.ending([&] {
    s.r.complete(touchy(2));
    t.r.complete(touchy(3));
    subject<P>::drop(s.r);
    subject<P>::drop(t.r);
  });
}

/// Observers that live with another operation, which ends first, last, or not at all.
template <class Place>
void bound_observers(world<Place>& w) {
  using P = swept<int, typename Place::executor>;
  subject<P> session(w.get_executor());
  subject<P> early(w.get_executor());
  subject<P> late(w.get_executor());
  for (auto* s : {&session, &early, &late}) w.cleanup(s->op);
  early.op.on_done(settle::bound_to(session.op), [] { trouble::user_call(); });
  std::move(late.h).on_done(settle::bound_to(session.op), [](settle::outcome<int>&&) { trouble::user_call(); });
  w.ending([&] {
    early.r.complete(1);
    session.op.cancel();
    late.r.fail(settle::errc::closed);
    subject<P>::drop(session.r);
  });
}

/// Two producers, of which the second loses; registering when it is over.
template <class Place>
void two_producers_and_late_hooks(world<Place>& w) {
  using P = swept<int, typename Place::executor>;
  subject<P> s(w.get_executor());
  w.all_of_them(s.op);
  settle::shared_resolver<P> a(std::move(s.r));
  settle::shared_resolver<P> b(a);
  w.ending([&] {
    a.complete(1);
    b.fail(settle::errc::closed);
  });
  w.all_of_them(s.op);
}

/// Nobody settles: the producer goes, asked and not asked.
template <class Place>
void abandoned(world<Place>& w) {
  using P = swept<int, typename Place::executor>;
  subject<P> s(w.get_executor());
  subject<P> t(w.get_executor());
  w.all_of_them(s.op);
  w.all_of_them(t.op);
  w.ending([&] {
    subject<P>::drop(s.h);
    subject<P>::drop(s.r);
    subject<P>::drop(t.r);
  });
}

template <class P>
settle::handle<P> twice_of(typename P::executor_type, settle::handle<P> h) {
  int const n = co_await std::move(h);
  trouble::user_call();
  co_return 2 * n;
}

/// A coroutine that joins an operation, and one that is cancelled while it does.
template <class Place>
void awaited(world<Place>& w) {
  using P = swept<int, typename Place::executor>;
  subject<P> s(w.get_executor());
  subject<P> t(w.get_executor());
  w.cleanup(s.op);
  w.cleanup(t.op);
  auto joined = twice_of<P>(w.get_executor(), std::move(s.h));
  auto cancelled = twice_of<P>(w.get_executor(), std::move(t.h));
  w.all_of_them(joined);
  w.all_of_them(cancelled);
  s.r.complete(21);
  cancelled.cancel();
  subject<P>::drop(t.r);
}

/// A cleanup that takes its time.
template <class Place>
void asynchronous_cleanup(world<Place>& w) {
  using P = swept<int, typename Place::executor>;
  subject<P> s(w.get_executor());
  subject<P> farewell(w.get_executor());
  w.cleanup(s.op);
  settle::handle<P> begun = std::move(farewell.h);
  s.op.on_cleanup([h = std::move(begun)]() mutable { return std::move(h); });
  w.cleanup(s.op);
  s.r.complete(1);
  farewell.r.fail(settle::errc::closed);
}

template <class Place>
struct scene {
  char const* name;
  void (*play)(world<Place>&);
};
template <class Place>
inline constexpr scene<Place> scenes[] = {{"everything on one", &everything_on_one<Place>},
                                          {"a tree forced", &a_tree_forced<Place>},
                                          {"lost values", &lost_values<Place>},
                                          {"bound observers", &bound_observers<Place>},
                                          {"two producers and late hooks", &two_producers_and_late_hooks<Place>},
                                          {"abandoned", &abandoned<Place>},
                                          {"combined", &combined<Place>},
                                          {"watched", &watched<Place>},
                                          {"one after the other", &one_after_the_other<Place>},
                                          {"in time", &in_time<Place>},
                                          {"awaited", &awaited<Place>},
                                          {"asynchronous cleanup", &asynchronous_cleanup<Place>}};

}  // namespace sweep

#endif
