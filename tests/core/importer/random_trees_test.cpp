// SPDX-License-Identifier: Apache-2.0
// Random trees of splits, classes, names, links, formats and box tables: every path is in the
// account once, and what was written can be read back.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/stat.h>

#include <set>

#include "base/file.h"
#include "core/importer/importer.h"
#include "tests/support/photographs.h"

namespace remixer::data {
namespace {

// Blanks, quotes, Unicode, dots, signs, very long; some that an index can't hold.
const std::vector<std::string>& names() {
  static const std::vector<std::string> list = {"cat",      "dog",
                                                "a b",      "it's",
                                                "\"q\"",    "n01440764",
                                                "été",      "日本",
                                                "x.y.z",    "-",
                                                "#1",       "val",
                                                "Training", ".hidden",
                                                "__MACOSX", "tab\there",
                                                "hot|dog",  "\xff\xfe",
                                                "007",      "10",
                                                "%s",       std::string(120, 'l')};
  return list;
}

struct Item {
  std::string folder, name, kind;
};

std::ostream& operator<<(std::ostream& out, const Item& item) {
  return out << item.folder << " / " << item.name << " (" << item.kind << ")";
}

rc::Gen<std::string> name() {
  return rc::gen::elementOf(names());
}

// CLASS or SPLIT/CLASS, sometimes deeper.
rc::Gen<std::string> folder() {
  return rc::gen::mapcat(rc::gen::inRange(0, 4), [](int depth) {
    return rc::gen::map(
        rc::gen::container<std::vector<std::string>>(static_cast<size_t>(depth), name()),
        [](const std::vector<std::string>& parts) {
          return fmt::format("{}", fmt::join(parts, "/"));
        });
  });
}

rc::Gen<Item> item() {
  return rc::gen::build<Item>(
      rc::gen::set(&Item::folder, rc::gen::weightedOneOf<std::string>(
                                      {{3, rc::gen::map(folder(),
                                                        [](const std::string& rest) {
                                                          return "train" +
                                                                 (rest.empty() ? "" : "/" + rest);
                                                        })},
                                       {2, folder()}})),
      rc::gen::set(&Item::name, name()),
      rc::gen::set(&Item::kind, rc::gen::weightedElement<std::string>({{8, ".jpg"},
                                                                       {3, ".PNG"},
                                                                       {2, ".txt"},
                                                                       {1, ".webp"},
                                                                       {1, ""},
                                                                       {1, "broken link"},
                                                                       {1, "link up"},
                                                                       {1, "empty folder"}})));
}

// What find -L would print, less folders; a link to a folder above itself is a path of its own.
void walk(const fs::path& folder, const fs::path& root, std::vector<fs::path> above,
          std::multiset<std::string>& paths) {
  above.push_back(fs::canonical(folder));
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::error_code code;
    const fs::path real = fs::canonical(entry.path(), code);
    const bool is_folder = !code && fs::is_directory(real);
    if (is_folder && std::find(above.begin(), above.end(), real) == above.end()) {
      walk(entry.path(), root, above, paths);
    } else {
      paths.insert(entry.path().lexically_relative(root).string());
    }
  }
}

void make(const fs::path& root, const Item& item, const std::string& jpeg, const std::string& png) {
  const fs::path folder = root / item.folder, path = folder / (item.name + item.kind);
  std::error_code code;
  fs::create_directories(folder, code);
  if (code || fs::exists(fs::symlink_status(path))) return;
  if (item.kind == "broken link") {
    fs::create_symlink("nowhere", path);
  } else if (item.kind == "link up") {
    fs::create_symlink("..", path);
  } else if (item.kind == "empty folder") {
    fs::create_directory(path);
  } else {
    put(path, item.kind == ".PNG" ? png : item.kind == ".jpg" ? jpeg : "text");
  }
}

RC_GTEST_PROP(RandomTrees, EveryPathIsInTheAccountOnce, ()) {
  static const TemporaryFolder scratch;
  static const std::string jpeg = [] {
    save_jpeg(scratch.path() / "a.jpg", photograph(12, 10, {2, 2, 8, 8}, 1));
    return read_file(scratch.path() / "a.jpg");
  }();
  static const std::string png = encode_png(photograph(12, 10, {2, 2, 8, 8}, 2));
  const auto items = *rc::gen::container<std::vector<Item>>(item());
  const auto boxed = *rc::gen::container<std::vector<Item>>(item());
  const bool allow = *rc::gen::arbitrary<bool>();

  // A link up may lead out of the source: nothing else may come or go there.
  const TemporaryFolder folder, beside;
  const fs::path root = folder.path() / "source";
  make(root, {"train/cat", "0", ".jpg"}, jpeg, png);
  for (const Item& made : items) make(root, made, jpeg, png);
  std::multiset<std::string> expected;
  walk(root, root, {}, expected);
  const auto count = expected.size();

  ImportJob job;
  job.kind = "folder";
  job.folder = root;
  job.workspace = beside.path() / "work";
  job.name = "random";
  std::string table = "image;x0;y0;x1;y1\n";
  for (const Item& box : boxed) {
    if (box.name.find_first_of("\t") != std::string::npos ||
        box.folder.find('\t') != std::string::npos)
      continue;
    std::string quoted;
    for (const char c : box.folder + "/" + box.name + ".jpg")
      quoted += c == '"' ? "\"\"" : std::string(1, c);
    table += "\"" + quoted + "\";1;2;7;8\n";
  }
  if (!boxed.empty() && table.size() > 20) {
    put(beside.path() / "boxes.csv", table);
    job.boxes = beside.path() / "boxes.csv";
  }
  if (allow) {
    for (const auto& [known, what] : import_allowances()) job.allow.insert(known);
  }
  ImportAccount account;
  std::optional<ImportReport> report;
  try {
    report = import_dataset(job, account);
    account = report->account;
  } catch (const InputError& error) {
    RC_ASSERT(std::string(error.what()).find('\n') == std::string::npos);
    RC_ASSERT(!fs::exists(job.workspace / "datasets"));
  }
  // A layout that was refused outright has no account.
  RC_PRE(account.seen > 0);
  std::multiset<std::string> seen(account.taken.begin(), account.taken.end());
  for (const auto& [path, reason] : account.used) seen.insert(path);
  for (const auto& [path, reason] : account.passed_over) {
    seen.insert(path);
    RC_ASSERT(!reason.empty());
  }
  RC_ASSERT(seen == expected);
  RC_ASSERT(account.seen == static_cast<int64_t>(count));
  account_text(account);
  account_json(account).dump();
  std::multiset<std::string> after;
  walk(root, root, {}, after);
  RC_ASSERT(after == expected);
  if (!report) return;
  std::multiset<std::string> written;
  for (const auto& [split, count] : report->images) {
    const Dataset dataset = Dataset::open(report->folder, split);
    RC_ASSERT(dataset.samples().size() == static_cast<size_t>(count));
    for (const Sample& sample : dataset.samples()) {
      written.insert(sample.id);
      const std::string& name = dataset.classes()[static_cast<size_t>(sample.label)];
      RC_ASSERT(("/" + sample.id).find("/" + name + "/") != std::string::npos);
    }
  }
  RC_ASSERT(written == std::multiset<std::string>(account.taken.begin(), account.taken.end()));
}

}  // namespace
}  // namespace remixer::data
