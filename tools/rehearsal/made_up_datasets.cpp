// SPDX-License-Identifier: Apache-2.0
#include "tools/rehearsal/made_up_datasets.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/object_reader.h"
#include "core/builders/background_challenge.h"
#include "core/builders/challenge_builder.h"
#include "core/dataset/imagenet_classes.h"
#include "core/importer/importer.h"
#include "experiments/spec/components.h"
#include "tools/rehearsal/made_up_images.h"

namespace remixer::rehearsal {
namespace {

constexpr int kTestImagesAClass = 1;
constexpr int kNine = data::kImageNet9Classes;

// One ImageNet class for each of ImageNet-9's: enough for every split to have all nine.
std::vector<int> nine_indices() {
  std::vector<int> indices(kNine, -1);
  for (int i = 0; i < data::kImageNetClasses; ++i) {
    const int nine = data::imagenet_classes()[static_cast<size_t>(i)].imagenet9;
    if (nine >= 0 && indices[static_cast<size_t>(nine)] < 0) indices[static_cast<size_t>(nine)] = i;
  }
  return indices;
}

std::string wordnet_id(int index) {
  return std::string(data::imagenet_classes()[static_cast<size_t>(index)].wordnet_id);
}

class DatasetMaker {
 public:
  DatasetMaker(const DatasetOrder& order, const fs::path& sources, const fs::path& workspace)
      : order_(order), folder_(sources / order.name), workspace_(workspace) {}

  void make() {
    fs::create_directories(folder_);
    const std::string& kind = order_.kind;
    const std::string whole =
        kind.ends_with("_9") && kind != "imagenet9" ? kind.substr(0, kind.size() - 2) : kind;
    if (kind == "imagenet9") return build_imagenet9();
    if (kind == "background_challenge") {
      challenge_release();
    } else if (whole == "imagenet" || whole == "stylized") {
      class_folders("train", data::kImageNetClasses, order_.train_images);
      class_folders("val", data::kImageNetClasses, kNine * kTestImagesAClass);
    } else if (whole == "imagenetv2") {
      for (int i = 0; i < data::kImageNetClasses; ++i)
        fs::create_directories(folder_ / fmt::format("{}", i));
      for (const int index : nine_indices())
        add_image(folder_ / fmt::format("{}", index), index, 0, "jpeg");
    } else if (whole == "real") {
      validation_images();
    } else if (whole == "rendition") {
      class_folders("", 200, kNine * kTestImagesAClass);
    } else if (whole == "sketch") {
      class_folders("sketch", data::kImageNetClasses, kNine * kTestImagesAClass);
    } else {
      return own();
    }
    import(kind);
  }

 private:
  void add_image(const fs::path& folder, int index, int64_t number, const char* suffix) {
    const MadeUpImage made = make_up_image(++seed_, index % 200);
    write_jpeg(folder / fmt::format("{}_{}.{}", wordnet_id(index), number, suffix), made.image);
  }

  // ImageNet's layout; images go in turn to one folder per nine-class label, others stay empty.
  void class_folders(const std::string& part, int folders, int64_t images) {
    const std::vector<int> nine = nine_indices();
    std::vector<int> all(nine);
    for (int i = 0; static_cast<int>(all.size()) < folders; ++i) {
      if (std::find(nine.begin(), nine.end(), i) == nine.end()) all.push_back(i);
    }
    const fs::path top = part.empty() ? folder_ : folder_ / part;
    for (const int index : all) fs::create_directories(top / wordnet_id(index));
    for (int64_t i = 0; i < images; ++i) {
      const int index = nine[static_cast<size_t>(i % kNine)];
      add_image(top / wordnet_id(index), index, i, "JPEG");
    }
  }

  // val/ILSVRC2012_val_00000001.JPEG and the list of their labels.
  void validation_images() {
    Json labels = Json::array();
    for (const int index : nine_indices()) {
      const int64_t number = static_cast<int64_t>(labels.size()) + 1;
      write_jpeg(folder_ / "val" / fmt::format("ILSVRC2012_val_{:08}.JPEG", number),
                 make_up_image(++seed_, index % 200).image);
      labels.push_back({index});
    }
    write_file_atomic(folder_ / "real.json", labels.dump());
  }

  void challenge_release() {
    for (const char* variant : data::kVariants) {
      for (int label = 0; label < kNine; ++label) {
        const fs::path below =
            folder_ / variant / "val" /
            std::string(data::imagenet9_class_names()[static_cast<size_t>(label)]);
        write_jpeg(below / fmt::format("{}_0.JPEG",
                                       wordnet_id(nine_indices()[static_cast<size_t>(label)])),
                   make_up_image(++seed_, 20 * label, 224).image);
      }
    }
  }

  // Makes ImageNet with its boxes, from which the builder makes ImageNet-9 and its variants.
  void build_imagenet9() {
    const int64_t each = (order_.train_images + kNine - 1) / kNine;
    for (const int index : nine_indices()) {
      // Some images may be refused, as in real data.
      for (int64_t i = 0; i < each + 2; ++i) add_boxed("train", index, i);
      for (int64_t i = 0; i < kTestImagesAClass + 2; ++i) add_boxed("val", index, i);
    }
    data::ChallengeJob job;
    job.spec = experiments::make_dataset_spec(
        "imagenet9", {{"train_per_class", each}, {"test_per_class", kTestImagesAClass}});
    job.photographs = folder_ / "ILSVRC";
    job.boxes = folder_ / "Annotations";
    job.output = workspace_;
    job.in_workspace = true;
    job.name = order_.name;
    job.replace = true;
    data::build_challenge(job);
  }
  void add_boxed(const std::string& part, int index, int64_t number) {
    const MadeUpImage made = make_up_image(++seed_, index % 200);
    const std::string id = wordnet_id(index);
    const std::string name = fmt::format("{}/{}/{}_{}_{}", part, id, id, part, number);
    write_jpeg(folder_ / "ILSVRC" / (name + ".JPEG"), made.image);
    write_voc(folder_ / "Annotations" / (name + ".xml"), made, id);
  }

  // SPLIT/CLASS/IMAGE, with a table of boxes.
  void own() {
    const int64_t classes = std::max<int64_t>(2, order_.classes);
    std::string boxes;
    for (const std::string& split : order_.splits) {
      const int64_t images = split == "train" ? std::max(order_.train_images, classes) : classes;
      for (int64_t i = 0; i < images; ++i) {
        const auto label = static_cast<int>(i % classes);
        const MadeUpImage made =
            make_up_image(++seed_, 20 * label % 200, static_cast<int>(order_.image_size));
        const std::string path = fmt::format("{}/{:04}/{}.jpg", split, label, i);
        write_jpeg(folder_ / path, made.image);
        boxes += fmt::format("{}\t{}\t{}\t{}\t{}\n", path, made.box.x0, made.box.y0, made.box.x1,
                             made.box.y1);
      }
    }
    write_file_atomic(folder_.string() + ".boxes.tsv", boxes);
    import("folder", folder_.string() + ".boxes.tsv");
  }

  void import(const std::string& kind, const fs::path& boxes = {}) {
    data::ImportJob job;
    job.kind = kind;
    job.folder = folder_;
    job.boxes = boxes;
    if (kind.starts_with("real")) job.labels = folder_ / "real.json";
    job.workspace = workspace_;
    job.name = order_.name;
    job.replace = true;
    // A few images cannot cover all classes of the published layout.
    job.allow = {"empty-classes"};
    data::import_dataset(job);
  }

  const DatasetOrder& order_;
  const fs::path folder_;
  const fs::path& workspace_;
  uint64_t seed_ = 0;
};

}  // namespace

DatasetOrder dataset_order(const Json& json) {
  DatasetOrder order;
  ObjectReader v(json, "dataset");
  v("name", order.name);
  v("kind", order.kind);
  v("splits", order.splits);
  v("classes", order.classes);
  v("image_size", order.image_size);
  v("train_images", order.train_images);
  v.finish();
  return order;
}

void make_dataset(const DatasetOrder& order, const fs::path& sources, const fs::path& workspace) {
  DatasetMaker(order, sources, workspace).make();
}

}  // namespace remixer::rehearsal
