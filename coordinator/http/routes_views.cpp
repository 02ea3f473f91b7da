// SPDX-License-Identifier: Apache-2.0
// Routes that answer from the database and the logs, without using the engine's thread.
#include <algorithm>

#include "coordinator/http/route_table.h"
#include "coordinator/views/database_views.h"
#include "coordinator/views/task_log.h"
#include "coordinator/views/views.h"

namespace remixer::coordinator {
namespace {

constexpr int64_t kMostPoints = 5000;
constexpr int64_t kMostSeries = 500;
constexpr int64_t kMostLogBytes = 1 << 20;
constexpr size_t kMostCompared = 24;

std::string otherwise(std::string text, const char* usual) {
  return text.empty() ? usual : text;
}

// "a,b" → {"a", "b"}
std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> parts;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    if (end > at) parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

Json matrix(const RouteContext& context, const Call& call) {
  MatrixQuestion question;
  question.grid = context.grid_id(call.parameters[0]);
  question.metric = otherwise(call.query("metric"), "top1");
  question.weights = otherwise(call.query("weights"), "raw");
  return to_json(DatabaseViews(context.options.database).matrix(question));
}

Json curves(const RouteContext& context, const Call& call) {
  CurvesQuestion question;
  question.grid = context.grid_id(call.parameters[0]);
  question.name = otherwise(call.query("name"), "loss");
  question.series = call.number("series", 100, 1, kMostSeries);
  question.points = call.number("points", 300, 2, kMostPoints);
  return to_json(DatabaseViews(context.options.database).curves(question));
}

Json compare(const RouteContext& context, const Call& call) {
  const auto ids = split_list(call.query("cells"));
  if (ids.empty() || ids.size() > kMostCompared) {
    fail_input("cells={} must name 1 to {} cells, parted by commas", call.query("cells"),
               kMostCompared);
  }
  return to_json(DatabaseViews(context.options.database).compare(ids));
}

Json metrics(const RouteContext& context, const Call& call) {
  return to_json(DatabaseViews(context.options.database)
                     .task_metrics(context.task_id(call.parameters[0]),
                                   split_list(call.query("names")),
                                   call.number("points", 300, 2, kMostPoints)));
}

Json log(const RouteContext& context, const Call& call) {
  LogQuestion question;
  question.task_id = context.task_id(call.parameters[0]);
  question.attempt = call.number("attempt", 0, 1, int64_t{1} << 40);
  if (!call.query("from").empty()) question.from = call.number("from", 0, 0, int64_t{1} << 52);
  question.limit = call.number("limit", 64 << 10, 16, kMostLogBytes);
  return to_json(read_task_log(context.options.workspace, question));
}

// Throws NotFound if the daemon was started without reports.
const ReportSource& reports_of(const RouteContext& context) {
  if (!context.options.reports.tables) throw NotFound("this daemon shows no reports");
  return context.options.reports;
}

Json report(const RouteContext& context, const Call& call) {
  const std::string paper = call.query("paper");
  return reports_of(context).tables(context.grid_id(call.parameters[0]), paper == "true");
}

Json pictures(const RouteContext& context, const Call& call) {
  return reports_of(context).pictures(context.grid_id(call.parameters[0]));
}

// The page contains its own style and pictures, and no scripts.
HttpResponse report_page(const RouteContext& context, const Call& call) {
  HttpResponse response = text_response(
      "text/html; charset=utf-8", reports_of(context).page(context.grid_id(call.parameters[0])));
  response.headers.insert(response.headers.end(),
                          {{"Content-Security-Policy",
                            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
                            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
                           {"Referrer-Policy", "no-referrer"},
                           {"Cross-Origin-Opener-Policy", "same-origin"},
                           {"Cross-Origin-Resource-Policy", "same-origin"}});
  return response;
}

}  // namespace

void add_view_routes(RouteTable& table, const RouteContext& context) {
  const auto* c = &context;
  const auto add = [&](const char* pattern, Json (*answer)(const RouteContext&, const Call&)) {
    table.add("GET", pattern, [c, answer](const Call& call) {
      return HttpResponse{200, answer(*c, call)};
    });
  };
  add("/api/v1/grids/{id}/matrix", matrix);
  add("/api/v1/grids/{id}/curves", curves);
  add("/api/v1/grids/{id}/report", report);
  add("/api/v1/grids/{id}/pictures", pictures);
  table.add("GET", "/reports/{id}", [c](const Call& call) { return report_page(*c, call); });
  add("/api/v1/compare", compare);
  add("/api/v1/tasks/{id}/metrics", metrics);
  add("/api/v1/tasks/{id}/log", log);
}

}  // namespace remixer::coordinator
