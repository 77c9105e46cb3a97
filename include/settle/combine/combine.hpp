// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_COMBINE_HPP
#define SETTLE_COMBINE_COMBINE_HPP

// Every combinator.
#include "all.hpp"
#include "all_settled.hpp"
#include "any.hpp"
#include "backoff.hpp"
#include "bracket.hpp"
#include "failed.hpp"
#include "finally.hpp"
#include "hedge.hpp"
#include "map_concurrent.hpp"
#include "never.hpp"
#include "or_else.hpp"
#include "race.hpp"
#include "ready.hpp"
#include "retry.hpp"
#include "then.hpp"
#include "via.hpp"
#include "within.hpp"

#endif
