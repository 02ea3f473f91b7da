// SPDX-License-Identifier: Apache-2.0
#include "reports/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/recount.h"
#include "reports/stored_answers.h"

namespace remixer::reports {

namespace {

bool same(double a, double b) {
  return std::abs(a - b) <= 1e-9 * std::max({1.0, std::abs(a), std::abs(b)});
}

bool same(const Estimate& a, const Estimate& b) {
  return same(a.value, b.value) && same(a.low, b.low) && same(a.high, b.high);
}

// The difference between a figure in the database and from the files; empty: none.
std::string difference_of(const Figure& stated, const Figure& found, int decimals) {
  const auto text = [&](double value) { return fmt::format("{:.{}f}", value, decimals + 4); };
  if (!found.value) return "the files give no value";
  if (!same(stated.value->value, found.value->value)) {
    return fmt::format("the database gives {}, the files {}", text(stated.value->value),
                       text(found.value->value));
  }
  if (stated.n != found.n)
    return fmt::format("the database says of {} images, the files hold {}", stated.n, found.n);
  if (stated.sd.has_value() != found.sd.has_value() || (stated.sd && !same(*stated.sd, *found.sd)))
    return "its standard deviation is another";
  if (!same(*stated.value, *found.value)) return "its interval is another";
  if (stated.gain.has_value() != found.gain.has_value())
    return "its gain cannot be made again: see the row that it is over";
  if (stated.gain && !same(*stated.gain, *found.gain)) {
    return fmt::format("the database gives a gain of {}, the files of {}", text(stated.gain->value),
                       text(found.gain->value));
  }
  if (stated.best != found.best) return "by the files another figure is the best";
  return "";
}

class Checker {
 public:
  Checker(const Recount& recount, CheckResult& result) : recount_(recount), result_(result) {}

  void check(const Table& stated, const Table& found) {
    ++result_.tables;
    for (size_t r = 0; r < stated.rows.size(); ++r) {
      for (size_t c = 0; c < stated.columns.size(); ++c) {
        const Figure& figure = stated.rows[r].figures[c];
        if (!figure.value) continue;
        ++result_.numbers;
        std::string problem = trouble_of(figure);
        if (problem.empty())
          problem = difference_of(figure, found.rows[r].figures[c], stated.decimals);
        if (problem.empty()) continue;
        result_.problems.push_back(fmt::format("{}: {}, {}: {}", stated.name,
                                               row_text(stated.rows[r]), stated.columns[c].heading,
                                               problem + files_of(figure, problem)));
      }
    }
  }

 private:
  // "DeiT-S, + ReMixer (ours), BigBiGAN"
  static std::string row_text(const Row& row) {
    std::string text = row.block;
    if (row.model != row.block) text += (text.empty() ? "" : ", ") + row.model;
    return row.labels.empty() ? text : text + ", " + row.labels;
  }

  std::string trouble_of(const Figure& figure) const {
    for (const Part& part : figure.parts) {
      for (const std::string& task : {part.task, part.minus_task}) {
        const auto found = recount_.trouble.find(task);
        if (found != recount_.trouble.end()) return found->second;
      }
    }
    return "";
  }

  // Files to look at, unless the problem names them.
  static std::string files_of(const Figure& figure, const std::string& problem) {
    std::string files;
    for (const Part& part : figure.parts) {
      for (const std::string& file : {part.predictions, part.minus_predictions}) {
        if (file.empty() || problem.find(file) != std::string::npos) continue;
        files += (files.empty() ? "" : ", ") + file;
      }
    }
    return files.empty() || problem.find("predictions.safetensors") != std::string::npos
               ? ""
               : " (" + files + ")";
  }

  const Recount& recount_;
  CheckResult& result_;
};

}  // namespace

CheckResult check_report(const fs::path& database, const ReportRequest& request) {
  const fs::path workspace = request.workspace.empty() ? database.parent_path() : request.workspace;
  const Study study = read_study(database, request.grids, workspace);
  const Recount again = recount(study, database, workspace);
  const BuildOptions options{request.extras, request.paper, stored_answers(workspace)};
  const auto build = [&](const Study& of) {
    return request.own ? build_own_table(of, *request.own, options)
                       : build_tables(of, table_definitions(), options);
  };
  const Tables stated = build(study), found = build(again.study);
  CheckResult result;
  Checker checker(again, result);
  for (const Table& table : stated.tables) {
    const auto same_table =
        std::find_if(found.tables.begin(), found.tables.end(),
                     [&](const Table& other) { return other.name == table.name; });
    const bool whole = same_table != found.tables.end() &&
                       same_table->rows.size() == table.rows.size() &&
                       same_table->columns.size() == table.columns.size();
    if (whole) {
      checker.check(table, *same_table);
      continue;
    }
    // The files give no such table, or one of another form: then every figure is a problem.
    Table empty = table;
    for (Row& row : empty.rows) std::fill(row.figures.begin(), row.figures.end(), Figure{});
    checker.check(table, empty);
  }
  result.predictions = again.predictions + again.packed;
  result.checkpoints = again.checkpoints;
  if (again.packed > 0) {
    result.remarks.push_back(fmt::format(
        "{} files of predictions are packed: the five likeliest classes of each image, as they "
        "were when the workspace was exported",
        again.packed));
  }
  if (!again.without_checkpoint.empty()) {
    result.remarks.push_back(fmt::format(
        "κ of {} training{}: no checkpoint is kept, compared with the values that training "
        "recorded",
        again.without_checkpoint.size(), again.without_checkpoint.size() == 1 ? "" : "s"));
  }
  return result;
}

std::string check_text(const CheckResult& result) {
  std::string text;
  for (const std::string& problem : result.problems) text += problem + "\n";
  for (const std::string& remark : result.remarks) text += remark + "\n";
  const std::string from = fmt::format("{} files of predictions and {} checkpoints",
                                       result.predictions, result.checkpoints);
  if (result.passed()) {
    return text + fmt::format("{} numbers of {} tables agree with {}\n", result.numbers,
                              result.tables, from);
  }
  return text + fmt::format("{} of {} numbers do not agree with {}\n", result.problems.size(),
                            result.numbers, from);
}

}  // namespace remixer::reports
