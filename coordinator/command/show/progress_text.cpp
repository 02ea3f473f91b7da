// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/show/progress_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/clock.h"
#include "base/text_table.h"
#include "coordinator/command/show/terminal.h"

namespace remixer::coordinator::command {
namespace {

constexpr size_t kWidestBar = 30;

std::string text_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

double number_of(const Json& json, const char* name, double otherwise = 0) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number() ? found->get<double>() : otherwise;
}

// Fewer digits than for elapsed seconds: this is only an estimate.
std::string time_to_go(double seconds) {
  if (seconds < 10) return "a few seconds to go";
  const double step = seconds < 60 ? 10 : seconds < 600 ? 30 : 60;
  return "about " + duration_text(step * std::ceil(seconds / step)) + " to go";
}

bool belongs(const Json& event, int64_t grid_id) {
  if (grid_id == 0 || !event.contains("grids")) return true;
  const Json& grids = event["grids"];
  return std::find(grids.begin(), grids.end(), grid_id) != grids.end();
}

void append_metric(std::string& line, const Json& metrics, const char* name, const char* format) {
  const auto found = metrics.find(name);
  if (found == metrics.end() || !found->is_number()) return;
  line += "  " + fmt::format(fmt::runtime(format), found->get<double>());
}

std::string event_key(const Json& event) {
  return text_of(event, "task_id") + text_of(event, "ended_at");
}

}  // namespace

Json grid_of(const Json& status, int64_t grid_id) {
  for (const Json& grid : status.at("grids")) {
    if (grid.at("id") == grid_id) return grid;
  }
  return nullptr;
}

bool has_ended(const Json& grid) {
  return grid.at("state") != "running" && grid.at("state") != "paused";
}

bool all_ended(const Json& status) {
  const Json grids = status.value("grids", Json::array());
  return !grids.empty() && std::all_of(grids.begin(), grids.end(), has_ended);
}

std::string progress_bar(double fraction, size_t cells) {
  const double clamped = std::clamp(std::isfinite(fraction) ? fraction : 0.0, 0.0, 1.0);
  // Rounded down: a full bar means that everything is done.
  const auto full = static_cast<size_t>(clamped * static_cast<double>(cells));
  return "[" + std::string(full, '#') + std::string(cells - full, '-') + "]";
}

std::string grid_summary(const Json& grid, double elapsed_seconds) {
  const Json& states = grid.at("states");
  std::string text =
      fmt::format("{} of {} tasks · {} of {} cells · {}", states.at("done").get<int64_t>(),
                  grid.at("tasks").get<int64_t>(), grid.at("cells_done").get<int64_t>(),
                  grid.at("cells").get<int64_t>(), duration_text(elapsed_seconds));
  const int64_t failed = states.at("failed").get<int64_t>();
  const int64_t blocked = states.at("blocked").get<int64_t>();
  if (failed > 0) text += fmt::format(" · {} failed", failed);
  if (blocked > 0) text += fmt::format(" · {} blocked", blocked);
  if (grid.value("state", "") == "paused") return text + " · paused";
  if (grid.value("state", "") != "running") return text;
  const Json left = grid.value("seconds_left", Json());
  return text + " · " +
         (left.is_number() ? time_to_go(left.get<double>()) : "time to go not known yet");
}

std::string running_line(const Json& attempt) {
  std::string line = text_of(attempt, "title");
  const auto total = static_cast<int64_t>(number_of(attempt, "total_steps"));
  const auto step = static_cast<int64_t>(number_of(attempt, "step"));
  if (total > 0) {
    line += fmt::format("  {}/{}", step, total);
  } else if (const std::string activity = text_of(attempt, "activity"); !activity.empty()) {
    line += "  " + activity;
  }
  if (const auto metrics = attempt.find("metrics"); metrics != attempt.end()) {
    append_metric(line, *metrics, "loss", "loss {:.3f}");
    append_metric(line, *metrics, "images_per_second", "{:.0f} images/s");
  }
  const double left = number_of(attempt, "seconds_left", -1);
  return left >= 0 ? line + "  " + time_to_go(left) : line;
}

std::vector<std::string> progress_block(const Json& status, int64_t grid_id, double elapsed_seconds,
                                        size_t width, size_t height, bool colour) {
  // Leave the last column free: some terminals wrap a line that fills it.
  const size_t usable = std::max<size_t>(width, 20) - 1;
  std::vector<std::string> lines;
  const Json grid = grid_of(status, grid_id);
  if (!grid.is_null()) {
    const size_t bar = std::min(kWidestBar, usable / 4);
    const std::string head = progress_bar(number_of(grid, "fraction"), bar);
    const std::string rest =
        shortened("  " + grid_summary(grid, elapsed_seconds), usable - bar - 2);
    lines.push_back(coloured(head, Colour::kGreen, colour) + rest);
  }
  size_t hidden = 0;
  for (const Json& attempt : status.at("running")) {
    if (!belongs(attempt, grid_id)) continue;
    if (lines.size() + 1 >= std::max<size_t>(height, 3)) {
      ++hidden;
    } else {
      lines.push_back(shortened("  " + running_line(attempt), usable));
    }
  }
  if (hidden > 0) lines.push_back(shortened(fmt::format("  and {} more running", hidden), usable));
  return lines;
}

NewEvents::NewEvents(const Json& status, int64_t grid_id) : grid_id_(grid_id) {
  next(status);
}

NewEvents::Events NewEvents::next(const Json& status) {
  const auto fresh = [&](const Json& list) {
    std::vector<Json> events;
    for (const Json& event : list) {
      if (belongs(event, grid_id_) && seen_.insert(event_key(event)).second)
        events.push_back(event);
    }
    std::reverse(events.begin(), events.end());
    return events;
  };
  return {fresh(status.at("finished")), fresh(status.at("failures"))};
}

std::string finished_line(const Json& task) {
  std::string line = "done    " + text_of(task, "title");
  if (const double seconds = number_of(task, "seconds", -1); seconds >= 0) {
    line += " in " + duration_text(seconds);
  }
  for (const Json& figure : task.value("figures", Json::array())) {
    if (text_of(figure, "weights") != "raw") continue;
    line += fmt::format("  {} {:.1f} %", text_of(figure, "metric"), number_of(figure, "value"));
  }
  return line;
}

std::string failed_line(const Json& task, const std::string& workspace) {
  std::string line = "failed  " + text_of(task, "title");
  const std::string reason = text_of(task, "reason"), log = text_of(task, "log");
  line += ": " + (reason.empty() ? "no reason was given" : reason);
  if (!log.empty())
    line += fmt::format(" (log: {})", (std::filesystem::path(workspace) / log).string());
  return line;
}

}  // namespace remixer::coordinator::command
