// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_OBSERVE_CENSUS_REPORT_HPP
#define SETTLE_OBSERVE_CENSUS_REPORT_HPP

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "../cause.hpp"
#include "../policy/monitor.hpp"

namespace settle::inline v0 {

/// How far an operation has come. `released` ones are only referred to yet.
enum class census_phase : std::uint8_t { pending, settled, released };

/// One operation of a census, at the moment of asking. Values only.
struct census_entry {
  std::uint64_t serial = 0;                              ///< counts the operations of this census, from 1
  std::uint64_t parent = 0;                              ///< the serial of the one that adopted it; 0: none, or none of this census
  void const* id = nullptr;                              ///< tells it from the others while it exists; nothing to be used
  std::string_view tag{};                                ///< the policy's
  std::string name{};                                    ///< of the supervisor's child that it is or is below, if it was told
  census_phase phase = census_phase::pending;            ///< how far it has come
  monitor_event::ending_t how = monitor_event::pending;  ///< how it ended, once settled
  cause why = cause::requested;                          ///< when it was cancelled
  std::chrono::nanoseconds age{};                        ///< since it was created
  std::source_location where{};                          ///< where it was created
  standing now{};                                        ///< what holds it, when asked
  std::uint32_t children = 0;                            ///< of this census, not released
};

/// How many there are of what.
struct census_counts {
  std::size_t pending = 0;            ///< without an outcome
  std::size_t settled = 0;            ///< with one, and not released
  std::size_t released = 0;           ///< only referred to yet
  std::size_t cleaning = 0;           ///< of the settled ones: their cleanups are not through
  std::size_t orphans = 0;            ///< not released, and nobody adopted them: roots, and what came too late for it
  std::chrono::nanoseconds oldest{};  ///< the age of the oldest
};

// What counts and writes is a template throughout: a program without a census compiles none of it.

/// Counts those that `is_meant` says yes to. Throws what that throws.
template <std::same_as<census_entry> E = census_entry, std::predicate<E const&> F>
census_counts counts_of(std::vector<E> const& entries, F is_meant) {
  census_counts n;
  for (E const& e : entries) {
    if (!is_meant(e)) continue;
    ++(e.phase == census_phase::pending ? n.pending : e.phase == census_phase::settled ? n.settled : n.released);
    n.cleaning += e.phase == census_phase::settled && e.now.releasing ? 1 : 0;
    n.orphans += e.phase != census_phase::released && e.parent == 0 ? 1 : 0;
    n.oldest = std::max(n.oldest, e.age);
  }
  return n;
}

/// Why it is not released, as far as it can tell, in words: producer, children, pins, cleanup, and whoever refers to it when
/// it is. Throws std::bad_alloc.
template <std::same_as<census_entry> E = census_entry>
std::vector<std::string> reasons(E const& e) {
  std::vector<std::string> found;
  if (e.phase == census_phase::released) {
    found.emplace_back("referred to");
    return found;
  }
  std::uint32_t told = e.children;
  if (e.phase == census_phase::pending) {
    found.emplace_back(e.now.requested ? "producer, asked to stop" : "producer");
    ++told;
  }
  if (e.children != 0) found.push_back(std::to_string(e.children) + (e.children == 1 ? " child" : " children"));
  if (e.now.releasing) {
    found.emplace_back("cleanup");
  } else if (e.now.holds > told) {
    std::uint32_t const rest = e.now.holds - told;
    found.push_back(std::to_string(rest) + (rest == 1 ? " pin" : " pins") + (e.phase == census_phase::settled ? " or producer" : ""));
  }
  return found;
}

namespace detail {

inline std::string_view name_of(census_phase p) noexcept {
  constexpr std::array<std::string_view, 3> names{"pending", "settled", "released"};
  return names[static_cast<std::size_t>(p)];
}
inline std::string_view name_of(monitor_event::ending_t how) noexcept {
  constexpr std::array<std::string_view, 4> names{"pending", "value", "failure", "cancelled"};
  return names[how];
}
inline long long milliseconds(std::chrono::nanoseconds t) noexcept {
  return static_cast<long long>(std::chrono::duration_cast<std::chrono::milliseconds>(t).count());
}

template <class E>
void append_ending(std::string& out, E const& e) {
  out += name_of(e.how);
  if (e.how == monitor_event::cancelled) (out += ", ") += to_string(e.why);
}

template <class S>
void append_quoted(S& out, std::string_view text) {
  out += '"';
  for (char const c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 8> code{};
      std::snprintf(code.data(), code.size(), "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += code.data();
    } else {
      out += c;
    }
  }
  out += '"';
}

template <class S>
S joined(std::vector<S> const& parts) {
  S out;
  for (S const& p : parts) (out += out.empty() ? "" : ", ") += p;
  return out;
}

/// `tag: 2 pending, 1 settled, oldest 15 ms`
template <class E>
void append_summary(std::string& out, std::string_view tag, std::vector<E> const& entries) {
  census_counts const n = counts_of(entries, [&](E const& e) { return e.tag == tag; });
  (out += tag.empty() ? std::string_view("(no tag)") : tag) += ": ";
  auto const append = [&](std::size_t how_many, std::string_view of_what) {
    if (how_many != 0) (((out += std::to_string(how_many)) += ' ') += of_what) += ", ";
  };
  append(n.pending, "pending");
  append(n.settled, "settled");
  append(n.released, "released");
  append(n.cleaning, "cleaning up");
  (out += "oldest ") += std::to_string(milliseconds(n.oldest)) += " ms\n";
}

/// What has no name of its own has that of the nearest above it. `entries` by serial; each is come to once.
template <class E>
void hand_names_down(std::vector<E>& entries) {
  auto const above = [&](E& e) -> E* {
    auto const at = std::ranges::lower_bound(entries, e.parent, {}, &E::serial);
    return at == entries.end() || at->serial != e.parent ? nullptr : &*at;
  };
  std::vector<bool> known(entries.size());
  std::vector<E*> path;
  for (E& e : entries) {
    E* top = &e;
    for (; top != nullptr && !known[static_cast<std::size_t>(top - entries.data())]; top = above(*top)) {
      known[static_cast<std::size_t>(top - entries.data())] = true;
      path.push_back(top);
    }
    for (std::string_view name = top == nullptr ? std::string_view() : top->name; !path.empty(); path.pop_back()) {
      if (path.back()->name.empty()) path.back()->name = name;
      name = path.back()->name;
    }
  }
}

}  // namespace detail

/// For people: a line for each tag, then one for each operation, oldest first. Throws std::bad_alloc.
template <std::same_as<census_entry> E = census_entry>
std::string census_text(std::vector<E> const& entries) {
  std::string out;
  std::vector<std::string_view> tags;
  for (E const& e : entries)
    if (std::ranges::find(tags, e.tag) == tags.end()) tags.push_back(e.tag);
  for (std::string_view const tag : tags) detail::append_summary(out, tag, entries);
  for (E const& e : entries) {
    (out += "  #") += std::to_string(e.serial) += ' ';
    ((out += e.tag) += e.tag.empty() ? "" : " ") += detail::name_of(e.phase);
    if (e.phase != census_phase::pending) {
      out += " (";
      detail::append_ending(out, e);
      out += ')';
    }
    if (e.parent != 0) (out += ", child of #") += std::to_string(e.parent);
    if (!e.name.empty()) detail::append_quoted(out += ", under ", e.name);
    (out += ", ") += std::to_string(detail::milliseconds(e.age)) += " ms old, waits for: ";
    (out += detail::joined(reasons(e))) += ", created at ";
    ((out += e.where.file_name()) += ':') += std::to_string(e.where.line()) += '\n';
  }
  return out;
}

/// For programs:
/// `[{"serial":1,"parent":0,"tag":"rpc","name":"feed","phase":"pending","ending":"pending","age_ms":3,"holds":1,"waits_for":["producer"],
/// "file":"a.cpp","line":7}]`. Throws std::bad_alloc.
template <std::same_as<census_entry> E = census_entry>
std::string census_json(std::vector<E> const& entries) {
  std::string out = "[";
  for (E const& e : entries) {
    out += out.size() == 1 ? "{" : ",{";
    (out += "\"serial\":") += std::to_string(e.serial);
    (out += ",\"parent\":") += std::to_string(e.parent);
    detail::append_quoted(out += ",\"tag\":", e.tag);
    if (!e.name.empty()) detail::append_quoted(out += ",\"name\":", e.name);
    detail::append_quoted(out += ",\"phase\":", detail::name_of(e.phase));
    detail::append_quoted(out += ",\"ending\":", detail::name_of(e.how));
    if (e.how == monitor_event::cancelled) detail::append_quoted(out += ",\"cause\":", to_string(e.why));
    (out += ",\"age_ms\":") += std::to_string(detail::milliseconds(e.age));
    (out += ",\"holds\":") += std::to_string(e.now.holds);
    out += ",\"waits_for\":[";
    bool first = true;
    for (std::string const& reason : reasons(e)) {
      detail::append_quoted(out += first ? "" : ",", reason);
      first = false;
    }
    detail::append_quoted(out += "],\"file\":", e.where.file_name());
    (out += ",\"line\":") += std::to_string(e.where.line()) += '}';
  }
  return out += "]";
}

}  // namespace settle::inline v0

#endif
