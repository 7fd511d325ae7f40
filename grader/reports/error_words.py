"""What candidates and interviewers do about an error of theirs, in Chinese: what intake refuses, and what is missing.

An error is made in English where it is found; here its message and its hint are read back, each by itself. What is not
known (the text of an exception, names) stays as it is.
"""

from __future__ import annotations

from typing import Final

from grader.errors import GraderError
from grader.reports.our_words import Translation

MESSAGES: Final = Translation(
    ("'submission.toml' is wrong: {}", "submission.toml 有误：{}"),
    ("'submission.toml' is larger than {} KiB", "submission.toml 超过 {} KiB"),
    ("the submission has no files ({})", "提交中没有文件（{}）"),
    ("the submission has no files", "提交中没有文件"),
    ("the submission answers none of the tasks", "提交没有回答任何一道题"),
    ("there is no code to check; found answers to {}", "没有可以检查的代码；已找到以下题目的回答：{}"),
    ("there is no submission at {}", "{} 处没有提交"),
    ("cannot read the folder {}: {}", "无法读取文件夹 {}：{}"),
    ("the archive has more than {} members", "压缩包中的文件多于 {} 个"),
    ("the archive is damaged or no zip archive", "压缩包已损坏，或不是 zip 格式"),
    ("the archive is damaged or no tar archive", "压缩包已损坏，或不是 tar 格式"),
    ("no Docker engine answers", "Docker 引擎没有响应"),
    ("the sandbox image {} is missing", "缺少沙箱镜像 {}"),
    ("the sandbox image {} is of another version", "沙箱镜像 {} 的版本不符"),
    ("{} is itself a submission: it has {}", "{} 本身就是一份提交：其中有 {}"),
    ("{} is no form of submission", "{} 不是可以提交的形式"),
    ("{} is one file too many: at most {} files and folders are read", "{} 超出数量：最多读取 {} 个文件和文件夹"),
    ("{} is an archive inside the submission", "{} 是提交中的压缩包"),
    ("{} is larger than {} MiB", "{} 超过 {} MiB"),
    ("{} makes the submission larger than {} MiB", "加上 {} 后，提交超过 {} MiB"),
    ("{} expands more than {}-fold", "{} 解压后膨胀超过 {} 倍"),
    ("{} is an absolute path", "{} 是绝对路径"),
    ("{} leads out of the submission", "{} 指向提交之外"),
    ("{} is a name of more than {} bytes", "{} 的名字超过 {} 字节"),
    ("{} is more than {} folders deep", "{} 的目录层数超过 {}"),
    ("{} clashes with {}", "{} 与 {} 重名"),
    ("{} has a backslash in its name", "{} 的名字中有反斜杠"),
    ("{} has a control or invisible character in its name, or is not UTF-8",
     "{} 的名字中有控制字符或不可见字符，或不是 UTF-8"),
    ("{} is a symbolic link; only regular files are read", "{} 是符号链接；只读取普通文件"),
    ("{} is a link or a device; only regular files are read", "{} 是链接或设备；只读取普通文件"),
    ("{} is a hard link", "{} 是硬链接"),
    ("{} is {}; only regular files are read", "{}（{}）不是普通文件；只读取普通文件"),
    ("{} grows while it is read", "{} 在读取时仍在变大"),
    ("{} cannot be read: {}", "无法读取 {}：{}"),
    ("{} is encrypted", "{} 已加密"),
    ("{} is compressed by a method other than deflate", "{} 的压缩方法不是 deflate"),
    ("{} shares its bytes with another member", "{} 与压缩包中的另一个文件共用数据"),
    ("{} has another size than the archive states", "{} 的大小与压缩包中的记录不符"),
    ("{} lies too far into the archive", "{} 在压缩包中的位置过于靠后"),
    ("{} is a sparse or enormous member", "{} 是稀疏文件或过大"),
)  # fmt: skip
"""Messages of errors, the more special first."""

HINTS: Final = Translation(
    ("hand in one file for each task, such as {}", "每道题提交一个文件，例如 {}"),
    ("expected one of: {}", "应有其中之一：{}"),
    ("a self-check grades code; ask for a code task", "自查只检查代码；请指定一道编程题"),
    ("give a folder, an archive, a .py or an .ipynb file", "请给出文件夹、压缩包、.py 或 .ipynb 文件"),
    ("give a folder, a .zip, .tar.gz, .tgz or .tar archive, or one .py or .ipynb file",
     "请给出文件夹、.zip、.tar.gz、.tgz 或 .tar 压缩包，或一个 .py 或 .ipynb 文件"),
    ("give a folder of submissions", "请给出装有各份提交的文件夹"),
    ("{}, or give the folder around it", "{}，或给出它的上一级文件夹"),
    ("leave out data, environments and version control", "不要放入数据、虚拟环境和版本库"),
    ("leave out data and checkpoints; clear a notebook's outputs", "不要放入数据和检查点；清除 notebook 的输出"),
    ("leave out data and checkpoints", "不要放入数据和检查点"),
    ("unpack it or leave it out", "请解压，或不要放入"),
    ("archive source files only", "只打包源文件"),
    ("archive the file itself", "请打包文件本身"),
    ("archive the folder's content with relative paths", "请用相对路径打包文件夹中的内容"),
    ("archive the folder's content without '..'", "打包文件夹中的内容时不要带 '..'"),
    ("shorten it", "请缩短"),
    ("rename it", "请改名"),
    ("flatten the folders", "请减少目录层数"),
    ("use '/' between folders", "目录之间用 '/'"),
    ("names must differ by more than case, appear once, and be a file or a folder",
     "名字不能只有大小写之差，只能出现一次，且只能是文件或文件夹"),
    ("put a copy of the file in its place, or leave it out", "请换成文件的副本，或不要放入"),
    ("copy the folder with `cp -r`, which makes files of their own", "请用 `cp -r` 复制文件夹，得到独立的文件"),
    ("hand it in once it is finished", "请在写完之后再提交"),
    ("make it readable for the user who grades", "请让评分的用户可以读取"),
    ("make it again with a common tool", "请用常见工具重新打包"),
    ("make it again with {}", "请用 {} 重新打包"),
    ("make the archive without a password", "打包时不要设密码"),
    ("make the archive again", "请重新打包"),
    ("use zip's usual method", "请用 zip 的默认方法"),
    ("keep candidate and [entry] only", "只保留 candidate 和 [entry]"),
    ("write candidate = {} and [entry] task = {}", "请写 candidate = {} 和 [entry] task = {}"),
    ("start Docker and look at `grader doctor`, or use `--backend process`",
     "请启动 Docker 并运行 `grader doctor`，或使用 `--backend process`"),
    ("run: {}", "请运行：{}"),
)  # fmt: skip
"""What to do about them."""


def error_in_words(error: GraderError, lang: str) -> str:
    """An error as one line in the language."""
    if lang != "zh":
        return str(error)
    said = MESSAGES.of(error.message)
    return f"{said}（{HINTS.of(error.hint)}）" if error.hint else said
