// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/loop_impl.h"

namespace fuseboard::net {

MemberSweep::MemberSweep(Loop& loop, asio::io_context& context) : loop_(loop), timer_(context.get_executor()) {}

// Rounding up to the grain bounds the sweeps to 40 a second, whatever the deadlines are.
void MemberSweep::arm(TimePoint due) noexcept {
  if (stopped_) return;
  const Duration since_epoch = saturating_add(std::max(due.time_since_epoch(), Duration::zero()), kGrain - Duration(1));
  const TimePoint at{since_epoch / kGrain * kGrain};
  if (at >= armed_for_) return;
  armed_for_ = at;
  timer_.expires_after(elapsed(loop_.now(), at));
  timer_.async_wait([this](const ErrorCode& error) {
    if (!error) sweep();
  });
}

void MemberSweep::sweep() {
  const BusyLoop busy(loop_);
  const TimePoint now = loop_.now();
  armed_for_ = kNever;
  TimePoint next = kNever;
  Link expired;
  for (Link* link = members_.next(); link != &members_;) {
    auto& member = static_cast<LoopMember&>(*link);
    link = link->next();
    if (member.due_ <= now) {
      member.insert_before(expired);
    } else {
      next = std::min(next, member.due_);
    }
  }
  if (next != kNever) arm(next);
  // A call may destroy any member; a destroyed one unlinks itself from whichever ring it is in.
  while (expired.linked()) {
    auto& member = static_cast<LoopMember&>(*expired.next());
    member.insert_before(members_);
    if (member.due_ > now) {  // set again by a call before
      due_set(member.due_);
      continue;
    }
    member.due_ = kNever;
    member.on_deadline();
  }
}

void MemberSweep::stop() {
  stopped_ = true;
  timer_.cancel();
  Link leaving;
  while (members_.linked()) static_cast<LoopMember*>(members_.next())->insert_before(leaving);
  while (leaving.linked()) {
    auto& member = static_cast<LoopMember&>(*leaving.next());
    member.insert_before(members_);
    member.on_loop_stop();
  }
}

}  // namespace fuseboard::net
