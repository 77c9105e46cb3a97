// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_SCOPE_SURVEY_HPP
#define SETTLE_SCOPE_SURVEY_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "../cause.hpp"
#include "../child_name.hpp"
#include "../detail/link.hpp"
#include "../detail/state_access.hpp"
#include "../observe/census.hpp"
#include "../operation.hpp"

namespace settle::inline v0 {

/// An operation that was still there when a shutdown's time was over.
struct survivor {
  std::string owner;               ///< the subsystem under whose root it was
  std::string name;                ///< of the supervisor's child that it is or is below; empty when there is none
  std::string kind;                ///< the tag of its policy, or "operation"
  std::chrono::nanoseconds age{};  ///< since it was created, where its policy has settle::census as a monitor; else zero
  std::source_location created{};  ///< where it was created
  cause why = cause::requested;    ///< what it was asked to stop for
};

namespace detail {

/// What is under operations and not released, each one once, with the first that it was found under.
template <class C>
class survey_of {
  using state = state_base<C>;

 public:
  survey_of() = default;
  survey_of(survey_of&&) = delete;
  ~survey_of() {
    for (state* s : met_) s->drop_ref();
  }

  /// What is new under `top`, itself first. Throws std::bad_alloc.
  std::span<state* const> from(state& top) {
    std::size_t const before = met_.size();
    meet(top);
    for (std::size_t i = before; i != met_.size(); ++i) collect(*met_[i]);
    return std::span<state* const>(met_).subspan(before);
  }

 private:
  void meet(state& s) {
    if (s.is_released() || !known_.insert(&s).second) return;
    met_.push_back(&s);
    s.add_ref();
  }
  /// The room is made before the lock is taken.
  void collect(state& s) {
    std::vector<basic_operation<C>> below;
    for (std::size_t needed = 1; needed > below.capacity();) {
      below.clear();
      below.reserve(needed);
      needed = 0;
      std::uint32_t const w = s.lock();
      hook<C>* const first = s.lasting.load(std::memory_order_relaxed);
      for (hook<C>* h = first; h != nullptr; h = h->following() == first ? nullptr : h->following()) {
        if (h->kind != hook_kind::child) continue;
        if (++needed <= below.capacity()) below.push_back(state_access::ref<C>(*link<C>::of(*h).child()));
      }
      s.unlock(w);
    }
    for (basic_operation<C> const& op : below) meet(*state_access::get(op));
  }

  std::vector<state*> met_;
  std::unordered_set<state*> known_;
};

/// Adds what survived under `top` and was not found before. Throws std::bad_alloc.
template <class C>
void survey(survey_of<C>& all, basic_operation<C> const& top, std::string_view owner, std::vector<survivor>& found) {
  if (top.is_released()) return;
  std::vector<census_entry> const ages = census::entries();
  for (state_base<C>* const s : all.from(*state_access::get(top))) {
    survivor one{std::string(owner),
                 child_name.of(state_access::ref<C>(*s)).value_or(std::string()),
                 std::string(s->table->tag.empty() ? "operation" : s->table->tag),
                 {},
                 s->created,
                 cause::requested};
    for (census_entry const& e : ages)
      if (e.id == s) one.age = e.age;
    std::uint32_t const w = s->lock();
    if ((w & (word::requested | word::cancelled)) != 0) one.why = s->head().why;
    s->unlock(w);
    found.push_back(std::move(one));
  }
}

}  // namespace detail
}  // namespace settle::inline v0

#endif
