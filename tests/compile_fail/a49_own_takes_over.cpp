// SPDX-License-Identifier: BSL-1.0
// A49: one owner, who gives it back: of a resource that somebody else keeps, the operation is not told.
// expect: (use of|call to) deleted .*unique_ptr|call to implicitly-deleted copy constructor
#include <settle/settle.hpp>

#include <memory>
#include <utility>

void give(settle::operation const& op, std::unique_ptr<int> resource) {
#ifdef SETTLE_REJECT
  op.own(resource);
#else
  op.own(std::move(resource));
#endif
}
