// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_SINGLE_HEADER_MEET_HPP
#define SETTLE_TESTS_SINGLE_HEADER_MEET_HPP

int settled_by_singles(settle::resolver_of<int>& r);
int seen_by_both(settle::handle_of<int> const& h);

#endif
