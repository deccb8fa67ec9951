/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef WIRESCOPE_PLACEMENT_RETURNS_H
#define WIRESCOPE_PLACEMENT_RETURNS_H

#include "code-flow.h"
#include "placement.h"

/*
 * The part of placement_choose() that is about returns, after that about the entry. by_stepping:
 * also single-stepped instructions, where paths have no others. Sets .why_return in all cases.
 */
void placement_choose_returns(struct placement *p, const struct code_flow *flow, bool by_stepping);

#endif
