"""What people have had made, of whatever kind; an id says which of them it is."""

from aigen.domain.model.images import Image
from aigen.domain.model.texts import Text
from aigen.domain.model.videos import VideoJob

Generation = Text | Image | VideoJob
