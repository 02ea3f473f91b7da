// SPDX-License-Identifier: Apache-2.0
// The protocol's JSON: whatever is read as a message is written and read back as the same message,
// and everything else is refused as bad input.
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "base/parse_json.h"
#include "experiments/protocol/messages.h"

namespace protocol = remixer::experiments::protocol;

namespace {

template <typename Message>
void check(const Json& json) {
  Json once;
  try {
    once = protocol::to_json(protocol::from_json<Message>(json));
  } catch (const remixer::InputError&) {
    return;
  }
  if (protocol::to_json(protocol::from_json<Message>(once)) != once) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  Json json;
  try {
    json = remixer::parse_json({reinterpret_cast<const char*>(bytes), size}, "it");
    remixer::content_id(json);
  } catch (const remixer::InputError&) {
    if (json.is_null()) return 0;
  }
  check<protocol::RegisterWorker>(json);
  check<protocol::WorkerRegistered>(json);
  check<protocol::Claim>(json);
  check<protocol::ClaimReply>(json);
  check<protocol::Heartbeat>(json);
  check<protocol::HeartbeatReply>(json);
  check<protocol::AttemptResult>(json);
  check<protocol::ResultReply>(json);
  check<protocol::SubmitGrid>(json);
  check<protocol::GridSubmitted>(json);
  return 0;
}
