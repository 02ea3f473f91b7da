// SPDX-License-Identifier: Apache-2.0
// Server-sent events: the status, and a task's log.
#include "coordinator/http/route_table.h"
#include "coordinator/http/status_feed.h"
#include "coordinator/views/prometheus.h"
#include "coordinator/views/task_log.h"

namespace remixer::coordinator {
namespace {

std::string event(const char* name, const std::string& json) {
  return fmt::format("event: {}\ndata: {}\n\n", name, json);
}

// One client's stream.
class Events : public EventStream {
 public:
  Events(std::shared_ptr<StatusFeed> feed, std::filesystem::path workspace, std::string task)
      : feed_(std::move(feed)), workspace_(std::move(workspace)) {
    log_.task_id = std::move(task);
  }

  std::string next() override {
    std::string text;
    const auto snapshot = feed_->newest();
    if (snapshot.number != sent_) text += event("status", *snapshot.json);
    sent_ = snapshot.number;
    if (!log_.task_id.empty()) text += next_of_log();
    return text;
  }

 private:
  // Continues the newest attempt's log; switches to a newer attempt's log from its start.
  std::string next_of_log() {
    experiments::protocol::answers::Log piece = read_task_log(workspace_, log_);
    if (!piece.attempt) return "";
    if (*piece.attempt != attempt_ && log_.from && *log_.from != 0) {
      log_.from = 0;
      piece = read_task_log(workspace_, log_);
      if (!piece.attempt) return "";
    }
    const bool fresh = *piece.attempt != attempt_;
    attempt_ = *piece.attempt;
    log_.from = piece.next;
    if (!fresh && piece.text.empty()) return "";
    return event("log", to_json(piece).dump(-1, ' ', false, Json::error_handler_t::replace));
  }

  std::shared_ptr<StatusFeed> feed_;
  std::filesystem::path workspace_;
  LogQuestion log_;
  int64_t attempt_ = 0;
  uint64_t sent_ = 0;
};

}  // namespace

void add_event_routes(RouteTable& table, const RouteContext& context) {
  const auto* c = &context;
  const auto feed = std::make_shared<StatusFeed>(context.options.status);
  table.add("GET", "/api/v1/events", [c, feed](const Call& call) {
    const std::string log = call.query("log");
    HttpResponse response;
    response.stream =
        std::make_shared<Events>(feed, c->options.workspace, log.empty() ? log : c->task_id(log));
    return response;
  });
  table.add("GET", "/metrics", [c](const Call&) {
    return text_response("text/plain; version=0.0.4; charset=utf-8",
                         prometheus_text(c->options.status(), c->options.counts()));
  });
}

}  // namespace remixer::coordinator
