// SPDX-License-Identifier: Apache-2.0
#include "reports/pictures.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <map>
#include <thread>
#include <tuple>

#include "base/child_process.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/saliency_file.h"
#include "base/temporary_folder.h"
#include "experiments/spec/task_result.h"

namespace remixer::reports {

namespace {

namespace fs = std::filesystem;

// Maps of one cell, for the images given by `images`.
struct Maps {
  const StudyCell* cell = nullptr;
  std::string images;  // the set and which of its images, as text
  std::string file;
};

std::vector<Maps> find_maps(const Study& study, SQLite::Database& database) {
  SQLite::Statement query(database,
                          "SELECT t.spec, t.result FROM task t JOIN cell c ON c.number = t.cell "
                          "WHERE c.id = ? AND t.kind = 'saliency' AND t.state = 'done' "
                          "ORDER BY t.place, t.number");
  std::vector<Maps> all;
  for (const StudyCell& cell : study.cells) {
    query.reset();
    query.bind(1, cell.id);
    while (query.executeStep()) {
      const Json spec = Json::parse(query.getColumn(0).getString(), nullptr, false);
      const auto result =
          experiments::stored_result<experiments::SaliencyResult>(query.getColumn(1).getString());
      if (!spec.is_object() || !result) continue;
      const Json images = {{"set", spec.value("eval_set", Json())},
                           {"dataset", spec.value("dataset", Json())},
                           {"images", spec.value("images", Json())}};
      all.push_back({&cell, images.dump(), result->saliency});
    }
  }
  return all;
}

// Key of one picture: the models of one architecture, trained alike, on the same images. DeiT with
// ConViT's prior counts as a separate architecture.
using Group = std::tuple<int, std::string, std::string, std::string>;

Group group_of(const Maps& maps) {
  return {maps.cell->name.order, maps.cell->name.whole(), maps.cell->setting, maps.images};
}

// The paper shows only DeiT.
bool is_ours(const ModelName& name) {
  return name.family != "deit" || name.prior != "none";
}

std::string lower_case_part(const std::string& text) {
  std::string part;
  for (const unsigned char c : text)
    part += std::isalnum(c) ? static_cast<char>(std::tolower(c)) : '-';
  return part;
}

// The maps of the smallest seed with both a plain and a ReMixer model; else of the smallest seed.
std::vector<const Maps*> of_one_seed(const std::vector<const Maps*>& group) {
  std::map<int64_t, std::vector<const Maps*>> by_seed;
  for (const Maps* maps : group) by_seed[maps->cell->seed].push_back(maps);
  const auto whole = [](const auto& entry) {
    const auto masked = [](const Maps* maps) { return maps->cell->is_remixer; };
    const auto count = std::count_if(entry.second.begin(), entry.second.end(), masked);
    return count > 0 && count < static_cast<std::ptrdiff_t>(entry.second.size());
  };
  auto chosen = std::find_if(by_seed.begin(), by_seed.end(), whole);
  if (chosen == by_seed.end()) chosen = by_seed.begin();
  std::vector<const Maps*> maps = chosen->second;
  std::stable_sort(maps.begin(), maps.end(), [](const Maps* a, const Maps* b) {
    return std::pair(a->cell->is_remixer, a->cell->labels.order) <
           std::pair(b->cell->is_remixer, b->cell->labels.order);
  });
  return maps;
}

Picture picture_of(const std::vector<const Maps*>& group) {
  const StudyCell& first = *group.front()->cell;
  Picture picture;
  const std::string name = first.name.whole();
  const bool ours = is_ours(first.name);
  picture.name = "table4_" + lower_case_part(name);
  picture.heading = name + (ours ? " ‡ (ours: the paper shows DeiT alone)" : "");
  for (const Maps* maps : group) {
    const StudyCell& cell = *maps->cell;
    picture.columns.push_back(
        {cell.is_remixer ? "+ ReMixer, " + cell.labels.label : name, maps->file});
  }
  return picture;
}

// Describes the content of the maps' files in words.
void describe(const SaliencyFile& first, const std::vector<std::string>& answers, int64_t seed,
              Picture& picture) {
  picture.caption = fmt::format(
      "Original, then what the logit of the {} rests on, by {}; last the patch labels. Below each "
      "image its class, below each map the model's answer, red where it is wrong. {}, {} images, "
      "seed {}.",
      first.explained == "label" ? "right class" : "model's answer",
      first.method == "chefer" ? "the generic method of Chefer et al."
                               : "gradient-weighted activations (Grad-CAM), another method than "
                                 "the paper's",
      first.eval_set, first.size(), seed);
  picture.alt = "Saliency maps. ";
  for (size_t i = 0; i < first.samples.size(); ++i)
    picture.alt += fmt::format("{}: {}. ", first.classes[i], answers[i]);
}

// Runs remixer-tools and waits for it.
void draw(const fs::path& tools, const fs::path& workspace, const fs::path& scratch,
          Picture& picture) {
  const fs::path output = scratch / (picture.name + ".png"), log = scratch / "log";
  Command command;
  command.arguments = {tools.string(), "model", "saliency", "--output", output.string()};
  for (const Picture::Column& column : picture.columns) {
    command.arguments.insert(command.arguments.end(), {"--maps", (workspace / column.file).string(),
                                                       "--heading", column.heading});
  }
  command.log = log;
  const pid_t child = start_child(command);
  std::optional<int> code;
  while (!(code = child_ended(child))) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  if (*code != 0) {
    std::string said = read_file_if_exists(log).value_or("");
    while (!said.empty() && said.back() == '\n') said.pop_back();
    fail("{}", said.empty() ? fmt::format("remixer-tools ended with code {}", *code)
                            : said.substr(said.rfind('\n') + 1));
  }
  picture.png = read_file(output);
}

void finish(const std::vector<const Maps*>& group, const fs::path& workspace, const fs::path& tools,
            const fs::path& scratch, Picture& picture) {
  std::vector<std::string> answers;
  SaliencyFile first;
  for (size_t m = 0; m < group.size(); ++m) {
    SaliencyFile file = read_saliency(workspace / group[m]->file);
    answers.resize(file.answers.size());
    for (size_t i = 0; i < file.answers.size(); ++i) {
      answers[i] += fmt::format("{}{} says {}", m == 0 ? "" : ", ", picture.columns[m].heading,
                                file.answers[i]);
    }
    if (m == 0) first = std::move(file);
  }
  answers.resize(first.samples.size());
  describe(first, answers, group.front()->cell->seed, picture);
  draw(tools, workspace, scratch, picture);
}

}  // namespace

Pictures make_pictures(const Study& study, const fs::path& database, const fs::path& workspace,
                       const fs::path& tools) {
  std::vector<Maps> maps;
  try {
    SQLite::Database opened(database, SQLite::OPEN_READONLY, 5000);
    maps = find_maps(study, opened);
  } catch (const SQLite::Exception& error) {
    fail("{}: cannot read the database: {}", database.string(), error.what());
  }
  std::map<Group, std::vector<const Maps*>> groups;
  for (const Maps& each : maps) groups[group_of(each)].push_back(&each);
  Pictures result;
  std::map<std::string, int> used;
  const TemporaryFolder scratch("remixer-pictures");
  for (const auto& [key, group] : groups) {
    const auto chosen = of_one_seed(group);
    Picture picture = picture_of(chosen);
    if (const int number = ++used[picture.name]; number > 1)
      picture.name += fmt::format("_{}", number);
    try {
      finish(chosen, workspace, tools, scratch.path(), picture);
      result.pictures.push_back(std::move(picture));
    } catch (const Error& error) {
      result.left_out.push_back(
          fmt::format("Table 4, {}: not drawn: {}", picture.heading, error.what()));
    }
  }
  std::stable_sort(result.pictures.begin(), result.pictures.end(),
                   [](const Picture& a, const Picture& b) {
                     return (a.heading.find("‡") != std::string::npos) <
                            (b.heading.find("‡") != std::string::npos);
                   });
  return result;
}

}  // namespace remixer::reports
