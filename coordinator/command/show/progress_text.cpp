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

// Fewer digits than for elapsed seconds: this is only an estimate.
std::string time_to_go(double seconds) {
  if (seconds < 10) return "a few seconds to go";
  const double step = seconds < 60 ? 10 : seconds < 600 ? 30 : 60;
  return "about " + duration_text(step * std::ceil(seconds / step)) + " to go";
}

// Grid 0: any.
bool belongs(const std::vector<int64_t>& grids, int64_t grid_id) {
  return grid_id == 0 || std::find(grids.begin(), grids.end(), grid_id) != grids.end();
}

}  // namespace

std::optional<answers::Grid> grid_of(const answers::Status& status, int64_t grid_id) {
  for (const answers::Grid& grid : status.grids) {
    if (grid.id == grid_id) return grid;
  }
  return std::nullopt;
}

bool has_ended(const answers::Grid& grid) {
  return grid.state != "running" && grid.state != "paused";
}

bool all_ended(const answers::Status& status) {
  return !status.grids.empty() && std::all_of(status.grids.begin(), status.grids.end(), has_ended);
}

std::string progress_bar(double fraction, size_t cells) {
  const double clamped = std::clamp(std::isfinite(fraction) ? fraction : 0.0, 0.0, 1.0);
  // Rounded down: a full bar means that everything is done.
  const auto full = static_cast<size_t>(clamped * static_cast<double>(cells));
  return "[" + std::string(full, '#') + std::string(cells - full, '-') + "]";
}

std::string grid_summary(const answers::Grid& grid, double elapsed_seconds) {
  std::string text =
      fmt::format("{} of {} tasks · {} of {} cells · {}", grid.states.done, grid.tasks,
                  grid.cells_done, grid.cells, duration_text(elapsed_seconds));
  if (grid.states.failed > 0) text += fmt::format(" · {} failed", grid.states.failed);
  if (grid.states.blocked > 0) text += fmt::format(" · {} blocked", grid.states.blocked);
  if (grid.state == "paused") return text + " · paused";
  if (grid.state != "running") return text;
  return text + " · " +
         (grid.seconds_left ? time_to_go(*grid.seconds_left) : "time to go not known yet");
}

std::string running_line(const answers::Running& attempt) {
  std::string line = attempt.title;
  if (attempt.total_steps > 0) {
    line += fmt::format("  {}/{}", attempt.step, attempt.total_steps);
  } else if (!attempt.activity.empty()) {
    line += "  " + attempt.activity;
  }
  if (const auto loss = attempt.metric("loss")) line += fmt::format("  loss {:.3f}", *loss);
  if (const auto rate = attempt.metric("images_per_second")) {
    line += fmt::format("  {:.0f} images/s", *rate);
  }
  return attempt.seconds_left ? line + "  " + time_to_go(*attempt.seconds_left) : line;
}

std::vector<std::string> progress_block(const answers::Status& status, int64_t grid_id,
                                        double elapsed_seconds, size_t width, size_t height,
                                        bool colour) {
  // Leave the last column free: some terminals wrap a line that fills it.
  const size_t usable = std::max<size_t>(width, 20) - 1;
  std::vector<std::string> lines;
  if (const auto grid = grid_of(status, grid_id)) {
    const size_t bar = std::min(kWidestBar, usable / 4);
    const std::string head = progress_bar(grid->fraction, bar);
    const std::string rest =
        shortened("  " + grid_summary(*grid, elapsed_seconds), usable - bar - 2);
    lines.push_back(coloured(head, Colour::kGreen, colour) + rest);
  }
  size_t hidden = 0;
  for (const answers::Running& attempt : status.running) {
    if (!belongs(attempt.grids, grid_id)) continue;
    if (lines.size() + 1 >= std::max<size_t>(height, 3)) {
      ++hidden;
    } else {
      lines.push_back(shortened("  " + running_line(attempt), usable));
    }
  }
  if (hidden > 0) lines.push_back(shortened(fmt::format("  and {} more running", hidden), usable));
  return lines;
}

NewEvents::NewEvents(const answers::Status& status, int64_t grid_id) : grid_id_(grid_id) {
  next(status);
}

NewEvents::Events NewEvents::next(const answers::Status& status) {
  const auto fresh = [&](auto list) {
    std::erase_if(list, [&](const auto& event) {
      return !belongs(event.grids, grid_id_) ||
             !seen_.insert(event.task_id + event.ended_at).second;
    });
    std::reverse(list.begin(), list.end());
    return list;
  };
  return {fresh(status.finished), fresh(status.failures)};
}

std::string finished_line(const answers::FinishedTask& task) {
  std::string line = "done    " + task.title + " in " + duration_text(task.seconds);
  for (const auto& figure : task.figures) {
    if (figure.weights == "raw") line += fmt::format("  {} {:.1f} %", figure.metric, figure.value);
  }
  return line;
}

std::string failed_line(const answers::FailedTask& task, const std::string& workspace) {
  std::string line =
      "failed  " + task.title + ": " + (task.reason.empty() ? "no reason was given" : task.reason);
  if (!task.log.empty()) {
    line += fmt::format(" (log: {})", (std::filesystem::path(workspace) / task.log).string());
  }
  return line;
}

}  // namespace remixer::coordinator::command
