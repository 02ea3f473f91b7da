// SPDX-License-Identifier: Apache-2.0
// Routes for workers: register, claim, report.
#include "coordinator/http/route_table.h"

namespace remixer::coordinator {

namespace protocol = experiments::protocol;

namespace {

template <typename Message>
Message read(const Call& call) {
  return protocol::from_json<Message>(call.body());
}

template <typename Message>
HttpResponse send(const Message& message) {
  return {200, protocol::to_json(message)};
}

}  // namespace

void add_worker_routes(RouteTable& table, const RouteContext& context) {
  Engine* engine = context.options.engine;
  table.add("POST", "/api/v1/workers", [engine](const Call& call) {
    return send(engine->register_worker(read<protocol::RegisterWorker>(call)));
  });
  table.add("POST", "/api/v1/claim", [engine](const Call& call) {
    return send(engine->claim(read<protocol::Claim>(call)));
  });
  table.add("POST", "/api/v1/heartbeat", [engine](const Call& call) {
    return send(engine->heartbeat(read<protocol::Heartbeat>(call)));
  });
  table.add("POST", "/api/v1/result", [engine](const Call& call) {
    return send(engine->result(read<protocol::AttemptResult>(call)));
  });
}

}  // namespace remixer::coordinator
