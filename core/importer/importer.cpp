// SPDX-License-Identifier: Apache-2.0
#include "core/importer/importer.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/nearest_name.h"
#include "base/one_line.h"
#include "base/parallel.h"
#include "base/utf8.h"
#include "core/dataset/dataset_writer.h"
#include "core/dataset/file_stamps.h"
#include "core/dataset/normalisation.h"
#include "core/dataset/scene.h"
#include "core/image/image.h"
#include "core/image/image_decode.h"
#include "core/image/image_files.h"
#include "core/importer/import_plan.h"
#include "experiments/spec/imported.h"

namespace remixer::data {

namespace {

// Reads every image of a plan once and records what it finds.
class Importer {
 public:
  Importer(const ImportJob& job, ImportAccount& account)
      : job_(job), set_(find_published_set(job.kind)), account_(account) {
    account_ = {};
    check_name();
    if (!job.boxes.empty()) boxes_ = BoxIndex::open(job.boxes);
    plan_ = plan_import(job, set_, boxes_ ? &*boxes_ : nullptr);
    account_ = std::move(plan_.account);
    account_.kind = job.kind;
    account_.classes = plan_.classes;
    count_boxes();
    for (auto& [split, samples] : plan_.splits) {
      for (Sample& sample : samples) all_.push_back(&sample);
    }
    broken_.resize(all_.size());
    hashes_.resize(all_.size());
    mask_hashes_.resize(all_.size());
    sizes_.resize(all_.size());
    stamps_.resize(all_.size());
    mask_stamps_.resize(all_.size());
    looked_at_.resize(all_.size());
  }

  ImportReport run() {
    const auto total = static_cast<int64_t>(all_.size());
    parallel_for(
        total, 0,
        [&](int64_t i) {
          const auto index = static_cast<size_t>(i);
          broken_[index] = examine(index);
        },
        [&](int64_t done) {
          if (job_.on_progress) job_.on_progress("reading", done, total);
        });
    drop_broken();
    settle_masks();
    find_equal();
    refuse();
    if (!job_.dry_run) write();
    report_.account = account_;
    return std::move(report_);
  }

 private:
  void check_name() const {
    if (!is_plain_name(job_.name)) {
      fail_input("name '{}' may hold letters, digits, '_', '-' and '.' only; give another --name",
                 job_.name);
    }
    if (!is_utf8(job_.workspace.string())) {
      fail_input("the workspace's path is not UTF-8; give another --workspace");
    }
  }

  void count_boxes() {
    account_.has_boxes = boxes_.has_value();
    if (!boxes_) return;
    account_.box_source = job_.boxes.string();
    account_.box_rows = plan_.boxes.rows;
    account_.box_rows_matched = plan_.boxes.rows_matched;
    account_.boxes_unmatched = std::move(plan_.boxes.unmatched);
    account_.boxes_ambiguous = std::move(plan_.boxes.ambiguous);
    if (!account_.boxes_ambiguous.empty()) {
      add_problem("ambiguous-boxes", "boxes that fit several images; name more of their paths",
                  account_.boxes_ambiguous);
    } else if (account_.box_rows_matched == 0) {
      add_problem("unused-boxes",
                  fmt::format("{}: none of its {} rows fits any image; its names must end as the "
                              "images' paths do",
                              job_.boxes.string(), account_.box_rows),
                  account_.boxes_unmatched);
    }
  }

  void add_problem(const std::string& allow, const std::string& text,
                   const std::vector<std::string>& examples) {
    account_.problems.push_back({allow, text, examples, static_cast<int64_t>(examples.size())});
  }

  // Returns the fault of one image, its boxes or its mask; empty if there is none.
  std::string examine(size_t index) {
    Sample& sample = *all_[index];
    const fs::path path = plan_.root / sample.id;
    const auto stamp = look_at(path);
    if (stamp && ::access(path.c_str(), R_OK) != 0 && errno == EACCES) {
      return fmt::format("{} may not be read", sample.id);
    }
    const auto bytes = read_image_bytes_if_exists(path);
    if (!stamp || !bytes) return fmt::format("{} is missing", sample.id);
    try {
      // Even a small decode reads the whole file, so it finds torn files.
      decode_image_reduced(*bytes, sample.id, 1);
      sizes_[index] = decode_size(*bytes, sample.id);
    } catch (const InputError& error) {
      return error.what();
    }
    stamps_[index] = *stamp;
    hashes_[index] = sha256_hex(*bytes);
    try {
      std::string problem = boxes_ ? add_boxes(sample, sizes_[index]) : "";
      if (problem.empty() && !job_.masks.empty()) problem = add_mask(index);
      return problem;
    } catch (const InputError& error) {
      return error.what();
    }
  }

  // An image without a box is not a fault: it is imported without.
  std::string add_boxes(Sample& sample, ImageSize size) const {
    auto annotation = boxes_->find(sample.id);
    if (!annotation) return {};
    if (annotation->width > 0 &&
        (annotation->width != size.width || annotation->height != size.height)) {
      return fmt::format("{}: the image has {}x{} pixels, its annotation says {}x{}", sample.id,
                         size.width, size.height, annotation->width, annotation->height);
    }
    for (Box& box : annotation->boxes) {
      const Box written = box;
      const std::string problem = fit_box(box, size.width, size.height);
      if (!problem.empty()) {
        return fmt::format("{}: {} ({},{} to {},{} in {}x{} pixels)", sample.id, problem,
                           written.x0, written.y0, written.x1, written.y1, size.width, size.height);
      }
    }
    if (annotation->boxes.empty()) return {};
    sample.box = annotation->boxes.front();
    sample.more_boxes.assign(annotation->boxes.begin() + 1, annotation->boxes.end());
    return {};
  }

  // MASKS/train/cat/7.png is the mask of train/cat/7.jpg; so is a file with the image's own suffix.
  std::string add_mask(size_t index) {
    Sample& sample = *all_[index];
    const fs::path image = fs::path(job_.masks) / sample.id;
    const fs::path png = fs::path(image).replace_extension(".png");
    for (const fs::path& path : {png, image}) {
      const auto stamp = look_at(plan_.root / path);
      const auto bytes = read_image_bytes_if_exists(plan_.root / path);
      if (!stamp || !bytes) continue;
      looked_at_[index] = path.string();
      const GrayImage mask = to_gray(decode_image(*bytes, path.string()));
      const ImageSize size = sizes_[index];
      if (mask.width != size.width || mask.height != size.height) {
        return fmt::format("{} has {}x{} pixels, its image {}x{}", path.string(), mask.width,
                           mask.height, size.width, size.height);
      }
      if (!shows_object(mask)) {
        return fmt::format("{} is empty: it holds no object", path.string());
      }
      sample.mask = path.string();
      mask_hashes_[index] = sha256_hex(*bytes);
      mask_stamps_[index] = *stamp;
      return {};
    }
    return {};
  }

  void drop_broken() {
    size_t index = 0;
    for (auto& [split, samples] : plan_.splits) {
      std::vector<Sample> kept;
      auto& counts = account_.images[split];
      counts.assign(plan_.classes.size(), 0);
      for (Sample& sample : samples) {
        if (broken_[index].empty()) {
          keep(sample, index);
          ++counts[static_cast<size_t>(sample.label)];
          kept.push_back(std::move(sample));
        } else {
          report_.broken.push_back(broken_[index]);
          account_.passed_over.push_back({sample.id, "broken"});
        }
        ++index;
      }
      samples = std::move(kept);
      report_.images[split] = static_cast<int64_t>(samples.size());
    }
  }

  void keep(const Sample& sample, size_t index) {
    known_[sample.id] = hashes_[index];
    stamped_[sample.id] = stamps_[index];
    stamped_[sample.id].sha256 = hashes_[index];
    if (!sample.mask.empty()) {
      known_[sample.mask] = mask_hashes_[index];
      stamped_[sample.mask] = mask_stamps_[index];
      stamped_[sample.mask].sha256 = mask_hashes_[index];
    }
    note_size(sizes_[index]);
    (sample.box ? account_.with_boxes : account_.without_boxes) += 1;
    report_.masks += !sample.mask.empty();
    account_.taken.push_back(sample.id);
  }

  void settle_masks() {
    report_.boxes = account_.with_boxes;
    account_.masks = report_.masks;
    const std::set<std::string> found(looked_at_.begin(), looked_at_.end());
    bool any = false;
    for (const std::string& mask : plan_.masks) {
      const bool used = known_.contains(mask), of_one = found.contains(mask);
      any = any || of_one;
      account_.masks_unmatched += !of_one;
      (used ? account_.used : account_.passed_over)
          .push_back({mask, used     ? "a mask"
                            : of_one ? "a mask of a broken image"
                                     : "a mask of no image"});
    }
    if (job_.masks.empty() || any) return;
    add_problem("unused-masks",
                fmt::format("none of the masks in {} fits an image; they must be laid out as the "
                            "images are",
                            job_.masks),
                plan_.masks);
  }

  // Finds equal bytes under two names. Published sets hold some; a test image that is also a
  // training image is always worth reporting.
  void find_equal() {
    std::map<std::string_view, std::pair<std::string_view, std::string_view>> first;
    for (const auto& [split, samples] : plan_.splits) {
      for (const Sample& sample : samples) {
        const auto [found, is_new] =
            first.try_emplace(known_.at(sample.id), std::string_view(split), sample.id);
        if (is_new) continue;
        const auto& [other_split, other] = found->second;
        (other_split == split ? account_.equal_within : account_.equal_across)
            .push_back(fmt::format("{} = {}", sample.id, other));
      }
    }
  }

  // Ends the import if something was not understood or is broken.
  void refuse() {
    std::vector<ImportProblem> left;
    for (ImportProblem& problem : account_.problems) {
      const bool accepted = !problem.allow.empty() && job_.allow.contains(problem.allow);
      (accepted ? account_.allowed : left).push_back(std::move(problem));
    }
    account_.problems = std::move(left);
    if (!account_.problems.empty()) {
      const ImportProblem& first = account_.problems.front();
      fail_input(
          "nothing was imported: {}{}{}{}", first.text,
          first.examples.empty() ? "" : " (such as " + one_line(first.examples.front()) + ")",
          first.allow.empty() ? "" : fmt::format(", or accept it with --allow {}", first.allow),
          account_.problems.size() > 1
              ? fmt::format("; {} more problems", account_.problems.size() - 1)
              : "");
    }
    refuse_broken();
    const bool any = std::any_of(plan_.splits.begin(), plan_.splits.end(),
                                 [](const auto& split) { return !split.second.empty(); });
    if (!any) fail_input("{} holds no image that can be taken", plan_.root.string());
  }

  void refuse_broken() const {
    if (report_.broken.empty() || job_.skip_broken) return;
    constexpr size_t kNamed = 20;
    for (size_t i = 1; i < std::min(kNamed, report_.broken.size()); ++i) {
      fmt::print(stderr, "{}\n", report_.broken[i]);
    }
    fail_input(
        "{} of {} images are broken, the first: {}. Mend them, or leave them out with "
        "--skip-broken",
        report_.broken.size(), all_.size(), report_.broken.front());
  }

  // Side of all images so far, 0 if they differ or are not square; -1 before the first.
  void note_size(ImageSize size) {
    const int side = size.width == size.height ? size.width : 0;
    side_ = side_ == -1 || side_ == side ? side : 0;
  }

  void take_name() const {
    for (const fs::path& folder : experiments::folders_named(job_.workspace, job_.name)) {
      if (folder != report_.folder) take_name_from(folder, job_.name);
    }
  }

  void write() {
    const fs::path place = job_.workspace / "datasets" / job_.name;
    DatasetWriter writer(place, plan_.classes, std::max(side_, 0), {});
    for (const auto& [split, samples] : plan_.splits) writer.add_split(split, samples);
    writer.know_hashes(std::move(known_));
    writer.describe("root", plan_.root.string());
    writer.describe("name", job_.name);
    writer.describe("made_by", {{"import", set_.name}});
    writer.name_by_content(true);
    writer.add_beside(stamps_name(plan_.root), stamps_text(stamped_));
    writer.add_beside("import.json", account_json(account_).dump(2) + "\n");
    refuse_taken_name(writer);
    report_.folder = writer.publish(kImageNetMean, kImageNetDeviation);
    if (job_.replace) take_name();
    report_.differences = differences(set_, account_.images, plan_.classes);
    report_.differences.insert(report_.differences.begin(), plan_.notes.begin(), plan_.notes.end());
    report_.classes = plan_.classes;
    report_.released_count = plan_.released_count;
    report_.content_hash =
        Dataset::open(report_.folder, plan_.splits.begin()->first).content_hash();
  }

  // Fails if another dataset has the name; the same dataset can be imported any number of times.
  void refuse_taken_name(DatasetWriter& writer) const {
    if (job_.replace) return;
    const fs::path own = writer.complete(kImageNetMean, kImageNetDeviation);
    for (const fs::path& folder : experiments::folders_named(job_.workspace, job_.name)) {
      if (folder.filename() == own.filename()) continue;
      fail_input(
          "another dataset ({}) is called '{}' already; choose another --name, or --replace "
          "it",
          folder.string(), job_.name);
    }
  }

  const ImportJob& job_;
  const PublishedSet& set_;
  ImportAccount& account_;
  std::optional<BoxIndex> boxes_;
  ImportPlan plan_;
  std::vector<Sample*> all_;  // of the plan's splits, in their order
  std::vector<std::string> broken_, hashes_, mask_hashes_;
  std::vector<std::string> looked_at_;  // each image's mask, valid or not
  std::vector<ImageSize> sizes_;
  std::vector<FileStamp> stamps_, mask_stamps_;
  std::map<std::string, std::string> known_;
  std::map<std::string, FileStamp> stamped_;
  int side_ = -1;
  ImportReport report_;
};

}  // namespace

ImportReport import_dataset(const ImportJob& job, ImportAccount& account) {
  return Importer(job, account).run();
}

ImportReport import_dataset(const ImportJob& job) {
  ImportAccount account;
  return import_dataset(job, account);
}

}  // namespace remixer::data
