// SPDX-License-Identifier: Apache-2.0
// The error Busy: the daemon is there but does not answer.
#pragma once

#include "experiments/protocol/client.h"

namespace remixer::experiments::protocol {

// Somebody listens at the daemon's address, but gave no answer in time or hung up: it may be busy.
// Thrown by Client in place of Unreachable.
class Busy : public Unreachable {
 public:
  using Unreachable::Unreachable;
};

}  // namespace remixer::experiments::protocol
