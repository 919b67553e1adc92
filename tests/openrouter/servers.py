"""Raw servers"""
X=1
