/**
 * Small real files, made with FFmpeg 5.1 from its own test picture and a sine (`testsrc=duration=1.2:size=64x48:rate=5`,
 * `sine=frequency=440:duration=0.5:sample_rate=16000`), each named after what is special about it, gzipped, in base64.
 */
import { gunzipSync } from 'node:zlib'

const PACKED = {
  'cbr.mp3':
    'H4sIAAAAAAACA/v/WeIIA8sPprMHnRkY/zKodfIDQQ0QMxTO/2dv/1/AU1//P1ANM+uOrAOMEw0YJa67JDtua7rA26l4YL1Y' +
    'T+c95QrR/5c0IWpWxHUwXmFgEG1XYedkbuHgf7GAkUFiin7Hb61N/1IeQtQUJBUwMO5QMRD6KdjKk3rKpKKz6Gj3qrcn1nzb' +
    'umvSdpAaFtYfSTkMDBUKjqEHGxer/+Pt0GFmuGqhwHNt0Tfr1SstYHZlMDBVqNYJHD3exJA1YY6Agd3UFCaVfwt3Bp1JWAhR' +
    'YxBVwsCwQ3WRroYDt+HeJ5cap6lq6htvtDK6emui2QOQGlaWC1EVDGwWrlqbBcLPHBP3cVdUfHjz6KqnyoLipYIyN0FqOFhe' +
    'gMz5pjrZufZIgwTDi2rXlaFfw7i1ClwUnKW9e0FquFk5gOYw/FDV4kvZ7Pq19nnrqrunPh57ZrCY8zZPj0QASA0vzC5zXUfF' +
    'l1+z1t6ICTyu37jpGOMv5obrFgdAagQgdm1TTbZb7/vjlNTUWw6es77NKdA2m7TYhDFdFaRGmGVBXA3QPSoX7F85dm6czm3H' +
    'yCnw5ZISs0/TBEeu//9BasRZJaImOIYyMPa4/9v+XLzgYgmHsQLrqggFg405RRznm0BqJDlmTFrDODOAYeGEy38m+NVfMTQ1' +
    'Dg0tdnQquaSxNfvcSbCbgf6aoXiMgVFIaRPnCe1Hq3wcfV2N9QwNDFaBAQBs9JrrQAIAAA==',
  'faststart.mp4':
    'H4sIAAAAAAACA31UDWwURRSeo1iKgKlYTINVRi0RsHfdvd61tGaBUsBiihIMf0pc5nbnekv3r7vT9q6IgBKBAEEw/CaAIjEU' +
    'IRAkQSGIwRqM8hcCgRrRIgQxTcGmYqqI55u91h6obHbmfe/N997Mm/d2EUI4yhK25loGQn0QlzCCpF4RDTskIpTxpmFZ9Qgh' +
    '3aiPqeiuJ+M6Qn33IR/ib+/ju5t1rz4O3ffpA+9u5pAawHNYjbdnxr+jwb7o/vv85758Ejw1n6rMBZlHdZf1evC42d2+ffIN' +
    'VSMAsKHem/sIL9D0Zk/xx1Td6Vmp11SazpwBulVJTFWnnOM7bWhmFEBOveEFTT9mvppay1MdGk1LY2Cdo+MU9q12WUQHfNRl' +
    'rprG2cuL9j9XwRMXUCXIyh7GkCrgh0sDRSUBURCwrkXiweJQmkduMglzGFgVPhU9mLyMcqtB7m6ZMN+XzWviTe91PDV7rg9l' +
    'xtpapxSsuNPVxV2zbeLa3cfgIyfCnO47fuxMaqBcl3n333PcTISyOM6BtNLtfIxTermZKVt29/oIdLfe45eVbs+DmMo9Mbvj' +
    'oAJYa0xLG+wZe0BW8GtPG7mpsylWb5yM/SAjdSrjPfKKQT3JnyfT+wF6yCG2radXw6+lmm54E7N4wMdV4jl7CUBholCYoFcY' +
    '0LOiDoWO6hsygAVduSfzgWSy6buJPx+51lJ5cH3BRdzy9I2bvHrYjxXLoVgE6BQJpWEcIZSGoLx+XBkAQuGUqROf94dw+YwK' +
    'YKpUgYUKy07oNMpwUBCK/EEhGARjjDG7rLCwoaEhwPvZ0okZsJzqQr5LIMYMHTiWzTTLdMuwQiJEkUQMPSsVYZVGdEupkcQy' +
    'oUzAxCR6wqWSEC8qE+KiWIQNKsVoHLt1EUAl2HYT4Aqz7KiSGBDACSZsaHGqyjyiCB6yQ8xqKonFWIk5lkFkcBUxc6iuay6g' +
    '0fHRqsIAKLWGJMARiNpomVQKigWiiKPEZbLt1mg2Z6QC1NqyFY26lEn+IGYxBzx4IN2yakgMFLnX5uqaQnsNAjYdbw9FMwjj' +
    '59BMRh2dAAnsEb3OIQlZsQybMNAVuCL4nWkmhACiQzgn6hCDunBZEdlOANZUKQiYqMTmWUTkiEb4TtA61MurgWrVMRYBZNnU' +
    'lKstG1ZTRhtca2gCYkvBsNANZfjJSGHsKtSkSh2TQgL2Nuc36lA3Bt6OIv+TLV93FElxotiAb5XyrECRQuGAgGt5LpIQKAZo' +
    '87ieJHGpuBSAy6gthbBmQ42gH6CEEIvUQvl5MdEiaOAuumyJbyFbc2VY59p3NvTz+91QY/629UtnFb54a1rtofOnYsO+Pvb9' +
    '8MZTix4a1HRtsCmflzq+3NU6qeLAjnW1f23/9qfVr/vHzz2ZGPlIZ/bqgDlx1LLTnw2ZtnF656lPF+RtmXardH+zNPrEG+G3' +
    'cxqLFg8vuPNuY8ncKU+0jVy7WX91wI71q5Rm7cZhs+S14y8/vODE9ZkbtaPz3TF7ps5csun6ISfednnk0DljZ13dvmLl1Qvt' +
    'tvrMmdtjfIMmDf5xnjF0TfE23D7gj3PHo4FiJff2kJVya7i844Pgxvaqjy8tWLVvoBVoudL/TLztpHqu3ycbnptQ9oXw4d5L' +
    'R6s7dKnzz6WQ+9jyzfn6hIUb3GcvNPXfNWzLN83uC7PHzK7+TVh+cfLSZOj3UT8MvNT+0a83Hl1384CUyNx59qu3slqP/dKl' +
    'VWWvOxL8nH//5VvHx5clDy7m2LeVsEkLDy9KYWUeYG7PKd9MJ+8sj22qyjr9/ksztuP5Z5PlfwPdpnHW3gcAAA==',
  'film.mov':
    'H4sIAAAAAAACA31UDWwURRTeo1qKFFOxmEoaGbVEwN51935aWl3g6I/FtEow/DQSl7ndubul+3e70/auFQuRCAYIguHXAIrE' +
    'UJBIlASFIAZrMMpfCARqRIsQwDQFm4qpIp5vri090DDZmfnmzXvfm/fe7HAclxumCStGEeK4YVz/zGU1qQrhuAf8uoIpyPdk' +
    'PphMtv1Y+euhKx3V+9cXnkcdT1+/EfcW+5EbyaZNkADQ9vGlARTChPh5HjaqPaBQVDuz8gW3HwXnlIOmQmTYKDethEbCFHl5' +
    '3uf28l4vCKOUWmVFRU1NTZ5G8G5q2PCYdqSIefFEqa6BjmlR1TScMiTjEJZFAdkkLPqQQkKaKdeLQhlfxiNsYC3hEJGP+8r4' +
    'uCD4kE7EKIkjpyEEqARZTgJMYZRsRRQ8PBjBgHQ1ThSJMQpgIdnYiBBRKEZy1DZ1LIGpgKhNNE11AE2OT1ZkCkCO6SIPR8BK' +
    's2kQ0SsUCgIKY4dKllOvWkyjnyBmSWY47BAqur2IRm2wYESaadbjKCykIZmjqTIZEvDIsFM+ZFXHlJ1DNSixNQxKIA9pDTZO' +
    'SLKpW5jCWoYUURurBlCAoo2ZTtjGOnEgWSHJSgBWFdELGCvYYlGEpJCKmSdFtUkqriaiRqI0BMi0iCFFTAt2+4UWmNaTBHCL' +
    '3gA/ACVdNcQAcmRiELmBin4epZyzjNrEiYK1LUt3omX7tizKdhjpIUgriwoWoj/g4VGMxSLynmKAFuNNzTguFpcCcCixRD9S' +
    'LagR3AcoIXDhGJSfFZNbDBe4jyxf6mqlay6N6137zobhbrfjby7Ytn7ZvKKXbs6KHTh7IjruuyM/jW8+sfjhUW1XRhvSWbHn' +
    'm12dVeX7dqyL/bP9h6urX3dPX3A8MfHR3pzVHqNy0vKTX46ZtXF274kvFuVvmXWz9NN2cfKxNwJv5Tb7lowvvP1uc8mC2ie6' +
    'Jq7drL06csf6VXK7ev2gUfLa0VceWXTs2tyN6uEWZ8qemXOXbrp2wI53XZw4dv7UeZe3r1h5+Vy3pTxz6tYU16iq0b8s1Meu' +
    'Kd6Gukf+deZo2FMs590as1LqDAR7PvRu7K757MKiVXuzTU/HpRGn4l3HlTPDP9/wXEXZ1/xHn1w4HOnRxN6/l0HsU4ObC7SK' +
    '1g3Os+faRuwat+X7dufFuil1kT/4t8/PWJb0/znp5+wL3bt/v/7Yuhv7xETmztPfvpnVeeS3PrUmZ90h71fs/w9unR5fnty/' +
    'hGHXVkyrWg8u7sfyQsBMnhvcTGbsDEY31WSd/ODlOdtRy+lkkOMy6nTTbIR9TW+MKtxdLeMavCl7ORfHvqHmulvr3vU07r5t' +
    'GHztcM/qAc+n9SmfGf9lA7/c/f38r1828KllAVGoA3M+0Rw6ZMF4cwZshz2vKyoGgHTl3tgnpIhak6mFO6poNgN6VLMbU2/t' +
    'UMuew56/amwoGgEl11X4AcIs4Y16ijT9mIWDRAoQNdgaSicaWYEpvsPDFSj9PPkK/JFpIWcP2LGytDg0pAHe7VBHSdN5DzfK' +
    'QnqaqqpqZ6Zyz/o0iKwaYPWgxpga0A+UenwlHgFeVk0NsVc87Wh5SZaIAGiVuxTuoeRFLi8C88cdFS2uHFa/1PB+z1N1C1xc' +
    'ZrSrs7Zwxe2+PmaaY2HHGjgG63kOTdVl8GiZcE0ZzoUQ0uWsT5OHdDP7ZTkD+xO4u9eDdlnp8nzglO/hHODhCmGvOS1EkGfs' +
    'gbmcpTit5/WfTTbTeAqgP9mgUHZ3Hm9zmmxu1Ox2yGEYcuhN5fBfD+osY6kHAAA=',
  'film.webm':
    'H4sIAAAAAAACA7WU+zcUaBjH35lJOSuXnGrdOirUJpfJuA2VMYZNjCnDtGUjxGzHJZnGKNbMawaTezUqQpgsSsZ1OhImUpas' +
    'TpcdxOBECOUyxq22HbFntz9gn/O+P3zP83me53ueHx4tx37+LXw8RODn5X8GrsPPQkV8LIcR4BeCT4BIfBxEapBZVARYCYXa' +
    'TcSb5x8Q65LIdzlbnEsCyaUwf1Vt9SgLkqsuYl2yXKl7NFPJpbGIPatSh1wnT8Yq8CdW+4Dj4P+KFVeVhuIKtioeR2SluPpG' +
    'BFpgTcysTPah0cfsv9WES1zcFdHXshX7z8rW3DmIIYLWwm35NFx0Zsr3QjYEO2uy2fTQ01wI4uMoPpQjWDZE6L1lc5TGm8AA' +
    'rxziHkB0FkR6lnM9KyDwrIXIlQ3gII2W5y9iUVuzHPkJjm4OJIKjOyHhWxM02ht/UZL/v+OorYX/pW/IaX85jflKbw8+4xcR' +
    'FmkcEYalthY48rkET3d7D2eSGyGBh0bbrLx9JmbotQBA10FId5gcgYCP50EAWAXObPwAagopM7LW19F0A0i16JLPzN1I66fv' +
    't6rPCZZJqBuvmz1avg+UOQs4swt5iTgQQ2QuM2Thzz9vGq9KblTrrd5i9Sh7ECcNDjAKCudwD1lIAzboZ0SquYyanfPEnB01' +
    '3dcXrTw46S6uCiheBpoq7feq+dLovMNdm11cTNWdnc5eYBxATXjkOT2lbHQMDDgYFBl1uU1Lr6apT7s7yFLKo1xdotsOdatl' +
    'ajf5MrR6jx22q9Re8m0oFDIdFPZCsaqpBsp16byISMlEGgne1NAP3av60tGpwQuRkHXsVQ2k5PEfK9r3MMNCOgaCvYThuSmI' +
    'wEajXQp76Y9TfyWpDFuMte3XSH1rWRDCjaklSbOmI0mmQi/9dYZKFE3WSK7wmMStobPtRdgzseJoqIGlcl1t+kzE0rr9rSmG' +
    '2Sljk4rue580YKI64wtnttCyzXNybkOi7Z2lzRzfp7k/Wz6C1CRTbE2GxPmvWYomzSeTc9VlITk4rEOQMJ8X2tWpOjH27mIG' +
    'cZItzTCxPrqNMG8vkVUESeralWAN2/PCtZDKqJ0NOmqYGszwHWW/FgQITCTZFJhnuvEuLpvDpo0C2w/opJG2bmzxQNqrbMQL' +
    'J6WyrmF6SfSbDGcsw6STPvJOy83PQUVya4glHpewNM/nLSqP5RtWLj6QLdMTxU5jL28s9DfIch4Kbu4U8VO3JUtuY/YsFqVb' +
    'mG0gvLRiDh79tJu94wAhWvCRWTiRaml8ux+FWS6vN6D8UTUz16O56/dTyuSj7pKpWVPVfJs2nt6OD68MAO4UULIuQg8VxZrF' +
    '1R4qxhpoofXTdpgUOw4h7W34WjqCkfqeF7i0557iDGzfyy5/xb6yyZKBxfXH3asA/y4EreA3gLuig/MGAHUKgIuGDzvP2nkv' +
    'WBC0a4XNI3O8qCe29o0np48AfgdEpK/CnJNyOEwOO9RfVRWZaGZtePjL8Uasfle37Hp5PyjyLhimXiJ5MexOqMsY2eKFuJbc' +
    'yqr4Dpfo9qV09TaNA27ox4BfDpE/rbY77b3WzvC1S6QScx7X/OX64/W0c071U3q3zAxEObu5LOEU4E9B1Pa1Ci/R14oojIWw' +
    'Jz1wKKGSpzSrOy+IqD7NrGD0Hv7ibndiU9/bzvD3732Creyr8+dogzVO8zLwndg25aOu7zavgWd4kFT6aGncp7uoVsW0gBI8' +
    '2CsO7Ulz7Sg5GHM/J8mbqBIG+BUQNbo60fyf/fwgMP8z/Zo0rU631xiDLTW+Yvh5+mbMc6pHsiuS4AtWju3lurQqCO4nyo/6' +
    'dCyiXG77b9DfEF/pBQAA',
  'fragmented.mp4':
    'H4sIAAAAAAACA5VVDWwURRTeAykFijlrMQ1BGbVEgd5193rX0poFSgGLKUow/Clxmdudu1u6f92dtndFBCKRGkoQDL+GH5EY' +
    'CjYaJUEhiMEajPIXAoEa0SIEMU0LTUWriOebvdYeTSRxcjPve2/ee/PmvXezHMflRWjCUh1T57hBHKMwi2AGcK0s6FZQAHmn' +
    'bpq1HMdpem1M4e4Zg2+4xOP++ofnXq2B/FTuvmMQGNyiNq4CvJhWuWcOvo/3/3cuW3h3s1FXVAwA6crAez3trvNaXOKLKZrd' +
    't1OrKiRdcz7wZgU2FI0wHU+xrhoRADm1uus0PYQ8JbU3RrFJJC3ErBpbQ734d4eGNaAHHOooaTrvsIL8ZwKmwpUqgFb0aYyq' +
    'BP1Qib+w2C/wPNLUcDxQFEyzyE0mYQ2BVrlH4YYnr3C5UaAftE5f5vGyfLvL7q4nFi3xcBmx9rbZ+Wvv9vQwU6+FHas3DDa9' +
    'DqVOmmvgHTmNzwG+fkDAoCOb6QnXa0mc1YLaLuXS/KePcI1CWc1e0olL2Xg8vT5QUxtblpZu5FM1hwId10RNduijCnaNXeeQ' +
    'qAgkKuAmCvjd0O2sOF49EksvQAN0JJPn0ZS8pD+6wdkcl8losyclyaERhQ4IvYLaNQbHDR8COAPmvkEp22aOpZrjynu7LquX' +
    'z+q1y0r55nJT8geCOkQPf5LmjCHJZNP3M345er214tDm/Euo9cnOm6zKyIdk0yZIAGgX8iUhFMaEBKENfKjCDwoFs+fMeNYX' +
    'RGXzy0FTITJslJtWQiMRigI8X+gL8IEACGOUWqUFBXV1dX7W96aGDb9pRwvYKf4Y1TXQMS2qmoZTimQcxrIoIOhtsRApJKyZ' +
    'cpUolPKlPMIG1hIOEfl4YSkfF4RCpBMxRuLIqQkDKkaWkwBTWCVbEQU/D0awIF2NE0ViHgWwkGxsRIkoFCE5Zps6lsBUYB2j' +
    'aaoDaFJ8kiJTAHK1LvIQAlbqTYOIASFfEFAEO1SynCrVYhopB9WWZEYiDqGiL4BozAYL5kgzzSocA0bqlzmaKpN+AY8M2z1D' +
    'VnVMWRyqQYmtYVACeVirsXFCkk3dwhR4GVIEDaQa4AIUbcx0IjbWiQPJCktWArCqiAHAWMEWu0VYCquYnQQtTdx71RE1GqNh' +
    'QKZFDClqWrCbElpgWkUS4FsMhPheKMFjJIaQIxODyDVUDPLIPZxl1CZODKxtWfr3tmzflkXZjiA9DGlltwJGDIb8PKpmdxF5' +
    'fxFAi/l1KY6LRSUAHEosMYhUC2oE/QAlBF+4GsrPismthM7tIQ2rPSvohqtjuze+tWWoz+cE6/N2bV6zsOD523OrD184HRv7' +
    'zfEfxtWfXvngyKbr2YZ0Qez6an/bzPKDezdV/73nu5/Xv+qbtuRUYvzD3d71fmPGhIYzn4+au3Ve9+nPlo/ZMfd2ycct4qST' +
    'r4XeyKkvXDUu/+7b9cVLZj/WPn7jdu3lEXs3r5Nb1M4jRvErJ158aPnJGwu2qseWOZOb5yxYve3GYTvefmX86MVTFl7bs7bx' +
    '2sUOS3nq7J3JnpEzs39aqo/eULQLdYz48/yJiL9Izr0zqlFqC5V1vRfY2lH5yeXl6z7KMv2tV4edjbefUs4P/XTLM9NLv+Tf' +
    '//DysWiXJnb/tQbuPqVse542fcUWZ+LFpmH7x+74tsV5btHkRdHf+DcvzVqTDP4x4cesyx0Hfu18ZNPNg2IiY9+5r1/PbDt+' +
    'q0et9G46GvgCXGSW7ZwWb0geWsWwZyemM1ccWZnC8lLATJ5Ttp3M2lcW21aZeebdF+bvQcvOJcvY26JDqwGdSIF67v2I9FJv' +
    '3xc92+M+YvD82X0PdPk/n2DyhSkIAAA=',
  'live.webm':
    'H4sIAAAAAAACA5Nyvb94vlNbI6PTdyD+1Mji9LmRw6mppTw1KdepvZHJqbWRSSK4IZ3xPwQI+s4uWe27uzt4dYuo58q04DWN' +
    'CyE8sZB12UDeWd/dPUCeUMjh9OA1TYxybxgZwCCDgU4A5KrlWtc3NvM7Ofg29PoklqWZWuoZmesZGhiEO6LyQW4+sw7qQufr' +
    'jYzFRzvMhAR91jxgZJnTyKC0dU5zaV5KRyNDW2tYfFiAZXMjo/Lj5hbu14cYHkzZ0Oiwq9FgViNT6IaO0I2NDKE7G5lA3r5T' +
    'XLwg+UBD+olZrovbXf2c/V1cg1zaUS0uLt6WfKA7GWFb+omlyKpnAFUnA1Ubg1Ur5GQmlRVU6JYVWMo7byt1fvu8kWGx05RG' +
    'BoaGRZ7NTg+YPzB907FQkZH0Y2ASqFn5t16dyeL4KzGhr+t/+zPPuHo45Kh42jfP9S2ffyzocmCo863/Xf6t6MJfwdebe/YL' +
    '3Nkian5wzkOHLzmpOtlFLR0epl9S2VWmVgh4vzAqDDXOf6FveLeG9+HboOubU1f8ZpDkO712y+IvNQu8boh4e+sLebrlV5bb' +
    'Mr8JWeB2PIzHNS3VLruieuIpKeWth+5K38w2+zIlbPKvUusnNwVmSh9KLJe6E+5lv0n6V+K+pdvqnVm1G6/z60sw+/wqOeAb' +
    'NpNJZ/3traUeazf/P3teYkruvWAZR37VL8Gv3Tee1qwvyD37ICd6W9G8Xsa0/TpqrNqlR/pq/fmemr48ZSPR99hsUW5H3U7/' +
    'L7M+Vvjrb4tWYdHiDpNseD5vW/g9v33nT10qOHOd40Weqhnv7p0TPpX9YrE50as1p/flW44g7WP7jKvPty39JFo8x2Tu3CWN' +
    'vtarfom0JB6fF2N2sDG9W99y69R7nv8+h0kWx89smez9oyen4Oz69u8L8m6c53/z8lnVVN+3zV+m6lkEyrp8d7z3bWP2vd2n' +
    'uRu3NodWTsvdVK20T0bAeKvx01W8SUcZGdK6/K0Wmcz0m1L126TxEM9663cG3c9P3bRc8aD/yhzGS27c6248LV1Zc3uqp2W5' +
    '3vnS58+k/JKc+e7Nf9Jw/fW9BsmSBT95Xy7U2vRz17ffpV3X3V5envHj/r5vc/esn610YHGfbM+9JcaaP5dPMDVid7lsXv8w' +
    '8I96s6KtS8369/VL3/SZ6S65z2z8e8Ne1bBzmz99vSWpdjKBNzgw6N6Hz/r8C61OTVFWfHdFlcEhgYHbYrnBk+VNRq07PVZY' +
    'qkoZqPQr6q1wfcLkaLVYSmb98723Ljn0Xwi9PtXy7uUbyRx3171d+eAnW2TQZobFqxsZTjAsY3CYJOMQx8DAnMDAUKW153y+' +
    'fdwPUxfpndsOP/86pfqYteP+2I8BDIvPNjJOgChuiQUqLgAqdt47mf+AnuQs9j0ZkfstVW7c/DZ9w32G5XGLnqZ3+keX20cJ' +
    'fSufc/1H69F5mza3nfWuOf1rgtApCVs/gyMMizc0MkVAjEuJgxqnddW7grv+u8Ph/9OPsBUXuu39oDzfSPXAXPWOhm0fGBZ/' +
    'aGRWgOqIPgDWUW1suu3WhLQn7ZumcH+W/76+bEtK/cbyO17/g+yjBO8+Pl/06lV8jrnjloVfix9udfv+jYHrunXve/lE2egH' +
    'Z5wYutcc/PU6/ubynXz6i8JyHt65nner3+fsSru67XO743z5ChgWb2xkfgGx0QQWPhrrTa5NmPalf7f8HV1jyzW6k7T+fpxd' +
    'dyE9pMeHySWRAQBHPCz2ogUAAA==',
  'opus.ogg':
    'H4sIAAAAAAACA/NPTw9mYGKAgkadEG0Q/eneOkZGYf+C0mKP1MQURkYLxgY7sAJ/kHIGZOWMQDp69VRDRjuQ8pDE9GJeoIhP' +
    'YlmaqaWekbmeoYEBSIksEKfmJeenpBbZAiWTgZLGYEmFnMykfKBOsMksP+IQJoNcdbSSt1KKX0RAgJ9fgJ+PX0hIiFdAkI9P' +
    'kJ+Xj49XlJ+jObfpgszftzOe9q58HJrGsVwqttUm9IDAwePex4z/F35pd57LsVBf4MniH41HztgyfF3ysIJjocWFcqNVMd4z' +
    'uESW1DzqgPLjJjA+Wx87WwHKjX4v4hg4fU4UlBs2O/vKjMgjmUlg02L/WLufPeyQvOkCTHrntZsPIkRgRvV/iVZ4M/UAx0IP' +
    'ZrerQbUnH2W56ZdL3DRfADctb9F/5ueMzAoNUDU1oU8F1spNFbe2bkC4j6OjHGFiIvP+/TUsYOtbEj6d2cQ5Y/8u3xdw1f5T' +
    'zlrx8UBc9/sO2yfXhxbdULlw6/jbWnIZc454wUwLmlCuvcJlA1T10TtONw0eIDnt2SZBuEHfV3H4JHAs6m7Z+HSz4vXdO2UO' +
    'cCw64LMuYZbP0x7ZHR77n61b8Pv7/UyO5lMqXZOzJHbs6Eh7qLUDAPOK6oJVAgAA',
  'rotated.mp4':
    'H4sIAAAAAAACA31VC2wURRjeo1qKgKlYTINVRi0RsHfd3btrac0CZwGLKUowvJS4zO3O3S3dV3en7V0RASWCAYJgeCaAIjEU' +
    'IRAlQSGIwRqM8gqBQI1oEYKYpmBTMVXE85+91h4oTm5mvvlf8792juM4FKMpW3Mtg+P6cWyHKeIGRTDskMBxXF7MIYTj7gkZ' +
    'KqYgszv33nS6+buJPx+60lq9f13JedT6xLXrSbEshPxIsRyCBIBOkK8IoygmJMTzwKgOgEDplKkTn/WHUGRGFUiqRAFGlWWn' +
    'dBKjSOT5oF/kRRGICUrtytLSxsbGQIOmEkvHZsBy4qXslkCCGjrIWDbVLNOtRAqOYkUSkENiUhCpJKpbSq0kVPKVPMIm1lMu' +
    'kfhksJJPCkIQGURKkCRy66OAypHtpkAVVtlRJSHAgxIsyNCSRJWZRQE0ZAebcSIJZUhJOJaBZVAVEHWIrmsuoDHJMapCASh1' +
    'hsSDC1htskwiiUKJIKAYdqlsu7WazSQyBups2YrFXEIlv4howgENZki3rFqcgIPcR3N1TSF9BB6ZjneHohmYMj80kxJHxyAE' +
    '9Khe7+CUrFiGjSmcFUgRdbBmggkQdDCTiTnYIC4kKyrbKcCaKomAsYptFkVUjmqY3aRqDvHiaiRaPEGjgCybmHLcsoGbIdqg' +
    'WktSYFsSw3wPlA3NlMLIVYhJlHoqhXjkXc4y6hA3AdqOIv8TLeM7iqQ4MWREIa0sKjhIoXCAR3UsFokPlAG0mV1vx0mprAKA' +
    'S4kthZBmQ42gH6CEYAvXQflZMblF0MDdZNkS30K6+tLwrjVvr+/v97uhpuKt65bOKn3+xrS6A2dPJIZ/feT7EU0nFt0/uPnK' +
    'EFM+K3V+ubNtUtW+7Wvr/tr27U+rXvU/M/d4atSDXfmrAubE0ctOfjZ02obpXSc+XVC0edqNio9apDHHXgu/WdAUXDyi5NY7' +
    'TeVzpzzaPmrNJv3lgdvXrVRatGsHzfJXjr74wIJjV2du0A7Pd8funjpzycarB5xk+8VRw+aMm3V52/IVl8912OqTp26O9Q2e' +
    'NOTHecaw1WVbUcfAP84cjQXKlMKbQ1fIbeFI5/viho6ajy8sWLl3kBVovTTgVLL9uHqm/yfrn55Q+QX/wZ4Lh+OdutT151KI' +
    'fVxkU7E+YeF696lzzQN2Dt/8TYv73Oyxs+O/8W+dn7w0Hfp99A+DLnR8+Ou1h9Ze3yelcnec/uqNvLYjv3RrNflrD4mfs+8/' +
    'suWZ5LL0/sUM+7ZgOmnhwUUZrMwDzOgFkU1k8o5IYmNN3sn3XpixDc0/nY5wXM7rhmU1AF83GhIqd9vIuQpvyl7Ox7Ff3/Dd' +
    'LnXneTz3v6Mf/HZBn9UCnkNrvTtz/m0N7v2PkU7fxYfee9nCe8diolIX9iKiu7RPi9nN79HvV2yoGgaADPXO2Ed6hqa3eAd/' +
    'QtWdXg577bIlZ7DXrxqbqk6YjO8kfAAxlvAGwzOa7WqxmuEVqfCVZYUyqN7RUQb7Vrk0qgM+7FJXzZLZwx78u4Y/Hrythr26' +
    'V2JoDciHKwLB8oAAr6WuRdnLnKVR6CUzDFJVPpW7L32RK4zDvqt1wnxfPquJt7zb+fjsuT4uN9HeNqVk+a3ubqaab2PX7nGD' +
    'zQJ4EXpy/PCpzOQKXerlv9fdXGhHhgsgrGw6m+OVPtncDC2/hz+Su/3cq5eXTS8Cm8odNnvscCXAa8oKG+g5u2GvYmnPmoUZ' +
    '3xQryw7rpGi9SlmPvGQQb2fjsex+gB5ysG3r2dXwa5mmG9FMLWbwEfhfxr0BQGFiUBjRK8zf+t0j494HAAA=',
  'sound-only.mp4':
    'H4sIAAAAAAACA2NgYJBJK6ksyCzOz2VgYGIA0UBslFtgYsjAwMCRVpSaysDALJ6bklhyj4nBJ7Es2dRSz9hcz9DAgIGpZZ76' +
    'lDXvP+9/fituySSVSS6TGCbAwPQVX6Wrvh6cqLSAJ2+HgZGKx1KzvMjUaaShCkaWKbc4S112LYqN9Jv/f/H//Y/XZmXH7f/P' +
    '/7/++jrTPNv6f/J/6+dtPbL7/v/H/8//qby25IHqY9vzNp/Ps+yZ9f5D+O7e8r0qL4NFrS+f+/J5r837Yr8vr4JPznkefL44' +
    'NO2jWbxo2lfhJW9at+/ceW/+3BeV937Wyv2stev5Kft88vNN65fbTfz24oqHhITEhGeOmx8wSr3nZkrv+hg//8f+L3/v5X1d' +
    'qRczPfz8TIefzfs+tP+TljwULdm4+Xfj5IcbbA/UP2Cvfcj+w6DckavOGMKU+yVQ37lG/siGwkP7P/yS82gU+cHwS5+zWVlb' +
    '/v/U/3+sHvf9s065Xnfr/r5dP3/sc7/88kvu80mfz9dKcyp+Sbe2vPfLZsqknSInWm+eWMKxxjVh4YSmAwarXCxUgcZ802c/' +
    'ey20/m/82/+//3xcvn3Jyccfj9t9jrN5vfHVprAbNzennVjLduJNzrYj1/pOHxU5wXJNb4KXYmvAxIINIQ0xjHEMH4AGPEv+' +
    '/3r///a52fNzn3rfv/J1et2//EQ3t1/5+x/ue+X4I/5D39dbIlquQdwSIsasQSzSHmtCmg4oCXMvCW8A+oP9XL7m/5/p//9+' +
    'uzbrXG7M3+qqD9frqr7Ln/+50vf39/t1v1cu3Pvue/79fT9Em5aEck30mNWooRWrsNBgQ0STS5AeH6OePvfR4Pr7v/7/jFv3' +
    'LmaiykQVnrA1fm3hd6s28s8Ia+N7ulqgTXpn1rEtRvteX+339Vm/62vSrplR+mHaK6cu+rcmPPTqyZqKdctKFgGF163leXW0' +
    'NHMtk03YogeMXkCTtW3Kf1y9e/ekiqeKB1dT6qbcE+F2Ye1mCTfznHqn5sxgdZBKuT0nhH/tZKtHC05dVosSZZJKOV0YoLjM' +
    '5/WEA799z2xXbOTKS93Jw5G5c9qJBKdeox/AbGGcm59fBswmObllGSkMKID5BQMD4xcGRgYQQgBGVFXofAcGvIAJiGJLihKz' +
    'geyYkmywncyYpgHtRRJjJN1eldSUkmIgLZOaU1yC0AEylwWql/FqbkpmIpChkJuC7ne7BgYGZYfQI2CObkZKThFMpji/NA9Z' +
    'ZTCQn+KRmJeSkwpSw9iQm5mXBmQIFOeiGKqSAhGXSSlKTUPyAk9pUY4C1HEuxSVJOUB2XXFJcQqSmjxgWZaI4W0mBgGYU4HA' +
    'LLU4pRgcbQ0NDapAZSxAWtxBFCypnQTCrEARVhGOsKcMbEAWIzAqGESSSoqgwQNRAwqO4hJw0EGji4EDHGRgm5lBoSwDdF0y' +
    'kmtAmBNKWwDlqpB8DRIHmdULCikgdgdiR2hsOQNxFBCHg9xRXJKcj2SmDhBLFacXpIA4Rfk5OVC3MP7/D3ZBUnoBA0IG2QVJ' +
    'pSkloLCKyk0tgYWZInIEAiO9KLGgIAc5EnUzIalEdWVJPsgZssC6IhEW2MAaIw1YYxiBawwAVx6TmG4GAAA=',
  'sound.aac':
    'H4sIAAAAAAACA/v/McGBP/7PPSYGn8SyZFNLPWNzPUMDAwamlnnqU9a8/7z/+a24JZNUJrlMYpgAA9NXfJWu+npwotICnrwd' +
    'BkYqHkvN8iJTp5GGKv4DbRaa/4eRZcotzlKXXYtiI/3m/1/8f//jtVnZcfv/8/+vv77ONM+2/p/83/p5W4/svv//8f/zfyqv' +
    'LXmg+tj2vM3n8yx7Zr3/EL67t3yvystgUevL57583mvzvtjvy6vgk3OeB58vDk37aBYvmvZVeMmb1u07d96bP/dF5b2ftXI/' +
    'a+16fso+n/x80/rldhO/vbjiISEhMeGZ4+YHIDdxx/9hlHrPzZTe9TF+/o/9X/7ey/u6Ui9mevj5mQ4/m/d9aP8nLXkoWrJx' +
    '8+/GyQ832B6of8Be+5D9h0G5I1edMYQp90ugvnON/JENhYf2f/gl59Eo8gNkMuf9Pwy/9DmblbXl/0/9/8fqcd8/65Trdbfu' +
    '79v188c+98svv+Q+n/T5fK00p+KXdGvLe79spkzaKXKi9eaJJRxrXBMWTmg6YLDKxUIVapr8H4Zv+uxnr4XW/41/+//3n4/L' +
    'ty85+fjjcbvPcTavN77aFHbj5ua0E2vZTrzJ2XbkWt/poyInWK7pTfBSbA2YWLAhpCGGMQ5kDsf/PwwfgOY8S/7/ev//9rnZ' +
    '83Ofet+/8nV63b/8RDe3X/n7H+575fgj/kPf11siWq5B3BIixqxBLNIea0KaDigJcy8JbwA7Jx7kOfZz+Zr/f6b///vt2qxz' +
    'uTF/q6s+XK+r+i5//udK39/f79f9Xrlw77vv+ff3/RBtWhLKNdFjVqOGVqzCQoMNEU0uQXp8IJN47P8w6ulzHw2uv//r/8+4' +
    'de9iJqpMVOEJW+PXFn63aiP/jLA2vqerBdqkd2Yd22K07/XVfl+f9bu+Ju2aGaUfpr1y6qJ/a8JDr56sqVi3rGQRUHjdWp5X' +
    'R0sz1zLZhC2CxPD9P4xeQAu0bcp/XL1796SKp4oHV1PqptwT4XZh7WYJN/OceqfmzGB1kEq5PSeEf+1kq0cLTl1WixJlkko5' +
    'XRiguMzn9YQDv33PbFds5MpL3cnDkblz2okEp16jHwAtomDsTgMAAA==',
  'sound.flac':
    'H4sIAAAAAAACA0vzSXRmYGBQYnJgcmBgmMLAKMb4heEDAwOzwm6vc6lNMUZSGZofVpSmW95jYWDQ4wUq9UksSzO11DMy1zM0' +
    'MGAECogCcWpecn5KapEtimQjgwLDKBgFo2AUjIJRMApGwSgYBaNgFIyCUTAKRsEoGAWjYBSMglEwCkbBKBgFo2AUjIJRMAqG' +
    'Pvj/Q4WD4ZQfAwNrNpcR71H+bfxn+Vi5pjwz5Gq/sfS2jqUtn3TTsdpjLWYrXVuSWgx6QzZKTOvW1dk1aWKqyEqDnkink55h' +
    'YVGBHks7Tq3xUWZdNGmam7CPYKvKokSLNZsWsajMubDUKMGRoSNIMV1Fk0tm2QwXpklOCo4MDW1zDjU4MjMxMbJ8amTh9AhY' +
    'srDSSMTgnAsTh4iBhs9cXi4fL1cdt9CkRAldkSmbDGYl9GiqCnMeTZ0q5qkVFnVlijLntJlFS7pdp+pGdbYu6ew4JBm1VEyw' +
    'S+CQadARhkZNLpEp+mpObZInGhyZ2lg5Jy9c6NnmrCHgfEGJkYVhiVEqh4KgEoMjw0mDDpbEhc6tnOommj4zBByURDoiG6aX' +
    '/v+RwsF4/6nfx/YPwh8aPx39NvN3JyMjW9TTmYW7a4rEgw259RoXnt13isHN5V7pa5GpM3tZHomKZv2M4nQ7pNFvH/fiyQln' +
    'RSV/+fWTFQVO5Ey7tGDFLyHJGR2TjkZ9O3bGTU1p+d+PEYuCBDlu2mnJibSapSlLzUwNX70uJ005V+v6ei0lTqdgn53/o4uS' +
    'BHk697y+pqlt0FoGAEDH6C4KIgAA',
  'sound.m4a':
    'H4sIAAAAAAACA2NgYJBJK6ks8DVxVGBgYGIA0ZnF+blAbMTAwMCRVpSaysDALJ6bklhyj4nBJ7Es2dRSz9hcz9DAgIGpZZ76' +
    'lDXvP+9/fituySSVSS6TGCbAwPQVX6Wrvh6cqLSAJ2+HgZGKx1KzvMjUaaShCkaWKbc4S112LYqN9Jv/f/H//Y/XZmXH7f/P' +
    '/7/++jrTPNv6f/J/6+dtPbL7/v/H/8//qby25IHqY9vzNp/Ps+yZ9f5D+O7e8r0qL4NFrS+f+/J5r837Yr8vr4JPznkefL44' +
    'NO2jWbxo2lfhJW9at+/ceW/+3BeV937Wyv2stev5Kft88vNN65fbTfz24oqHhITEhGeOmx8wSr3nZkrv+hg//8f+L3/v5X1d' +
    'qRczPfz8TIefzfs+tP+TljwULdm4+Xfj5IcbbA/UP2Cvfcj+w6DckavOGMKU+yVQ37lG/siGwkP7P/yS82gU+cHwS5+zWVlb' +
    '/v/U/3+sHvf9s065Xnfr/r5dP3/sc7/88kvu80mfz9dKcyp+Sbe2vPfLZsqknSInWm+eWMKxxjVh4YSmAwarXCxUgcZ802c/' +
    'ey20/m/82/+//3xcvn3Jyccfj9t9jrN5vfHVprAbNzennVjLduJNzrYj1/pOHxU5wXJNb4KXYmvAxIINIQ0xjHEMH4AGPEv+' +
    '/3r///a52fNzn3rfv/J1et2//EQ3t1/5+x/ue+X4I/5D39dbIlquQdwSIsasQSzSHmtCmg4oCXMvCW8A+oP9XL7m/5/p//9+' +
    'uzbrXG7M3+qqD9frqr7Ln/+50vf39/t1v1cu3Pvue/79fT9Em5aEck30mNWooRWrsNBgQ0STS5AeH6OePvfR4Pr7v/7/jFv3' +
    'LmaiykQVnrA1fm3hd6s28s8Ia+N7ulqgTXpn1rEtRvteX+339Vm/62vSrplR+mHaK6cu+rcmPPTqyZqKdctKFgGF163leXW0' +
    'NHMtk03YogeMXkCTtW3Kf1y9e/ekiqeKB1dT6qbcE+F2Ye1mCTfznHqn5sxgdZBKuT0nhH/tZKtHC05dVosSZZJKOV0YoLjM' +
    '5/WEA799z2xXbOTKS93Jw5G5c9qJBKdeox/AbCGfm59fBswmObllGSkMKID5BQMD4xcGRgYQQgBGVFXofAcGvIAJiDxLihKz' +
    'geyYkmywncyYpgHtRRJjJN1eldSUkmIgLZOaU1yC0AEylwWql/FgbkpmIpChkJuC7ne7BgYGZYfQI2CObkZKThFMpji/NA9Z' +
    'ZTCQn+KRmJeSkwpSw5iTm5mXBmQIFOeiGKqSAhGXSSlKTUPyAk9pUY4C1HEGxSVJOUB2VnFJcQqSmqjcApNEDG8zMQjAnAoE' +
    'ZqnFKcXgaGtoaFAFKmMB0uIOomBJ7SQQZgWKsIpwhD1lYAOyGJlAXi8uAQcTNGoYOMDBA7aFGRSiMkCXJCPZDMKcUNoCKFeF' +
    '5EOQOMisXlCoALE7EDtCY8YZ5AsgDgdikeKS5HwkM3WAWKo4vSAFxCnKz8mBuoXx/3+wC5LSCxgQMsguSCpNKUkEh09qCSx8' +
    'FJEjCxjBRYkFBTnIEaabCUkRqitL8kHOkAXWC4mwgAXWDmnA2sEIXDsAAJyHR9FaBgAA',
  'sound.wav':
    'H4sIAAAAAAACAwvydHO7xsjAEO4Y5pqWW6IgwMDAwAiEDvIMYMzIwMHg4xkcIgUU9/Rz8/cMdgvhA7J9EsvSTC31jMz1DA0M' +
    'GFISSxInAE1paO3q7e/v62ptqC4rKigoLK2sa+kEiXS3NdaUFwNFSipqmzt6gCI97U21IJGC4vLapvbuvv7+no7m2oqSQpBI' +
    'TWMbSKS3s6WushQoUlRWDTQaJAI0uqoUbHRVPcTorrZGiGUllXUQo7vbm+CWNYFEUIyGW1ZXWQIxurGtC2JZfRXYMqDRw8Qf' +
    'ABIx7K/eAQAA',
  'sound.webm':
    'H4sIAAAAAAACA5Nyvb94vlNbI6PTdyD+1Mji9LmRw6mppTw1KdepHchtbWSSCG5IZ2QAARYFQd/ZJbt8d3cHr24R9VyZFrym' +
    'cSGEJxayLhvIu+G7uwfIEwo5nB68ponRCcKVCd4NlGxi4XoDMYchkoFWAOSqTVrXNzbzOzn4NvT6JJalmVrqGZnrGRoYhDui' +
    '8l06OxzqD4C1gZz/dB3UdTHXGxmLj3Y0P/KbK8sh6TWnkUFp65zm0ryUjkaGtjbHeP+A0OCwVc2K/N1hu1tYjmxhaG5kejhx' +
    'fiPj1g6H8w5gI5JSGgWSF032Lygt9khNTGFktGBssAPLgILmX3HxguQDDeknZrkubnf1c/Z3cQ1yaUd1XHHxjeQD3ckIZ6Sf' +
    'WISseipQdTJQtTFYtUJOZlI+0DKwog6X0CDHEE9/P5f2KQYGVmCkZ2pgYQAGDAzyzttKneyfNzIsntzIwNDA0ZzbdEHm79sZ' +
    'T3tXPg5NWzyjkUG0gWO5VGyrTegBgYPHvY8Z/y/80u48d/GURgbNBo6F+gJPFv9oPHLGluHrkocVIFFboKjFhXKjVTHeM7hE' +
    'ltQ86gAZHQgTjZvA+Gx97GwFkGAqTDD6vYhj4PQ5USD9lTDBsNnZV2ZEHslMAinthdgV+8fa/exhh+RNFxZPamRYCFe689rN' +
    'BxEiIIVb4Rb1f4lWeDP1wOJpjQwngYIezG5Xg2pPPspy0y+XuGm+ACR+F2FX3qL/zM8ZmRUaQOIfYeprQp8KrJWbKm5t3bB4' +
    'YiMjK5LfODrKgc5llESyL5F5//4alsVTGxl1Ic5tSfh0ZhPnjP27fF80AB3M6AjX7z/lrBUfD0gsFOqz33fYPrk+tOgGac+E' +
    'qQu3jr+tJZcx54gX0G+MtXC7giaUa69w2QBy00SY/qN3nG4aPAAZuRTZW882CYLEdiKs+b6KwycBpPVsA8ei7paNTzcrXt+9' +
    'U+bA4pmNjA+BQgd81iXM8nnaI7vDY/+zdQt+f7+fuWDOQqD9Xxk4mk+pdE3OktixoyPtodaO0kUtDGf/JYDy9MTd/ZsbGbZ3' +
    'AcuOj02MRz80MgMAJgcndlAEAAA=',
  'streamed.wav':
    'H4sIAAAAAAACAwvydHP7DwThjmGuabklCgIMDAyMQOggzwDGjAwcDD6ewSFSQHFPPzd/z2C3ED4g2yexLM3UUs/IXM/QwIAh' +
    'JbEkEWRKQ2tXb39/X1drQ3VZUUFBYWllXUsnSKS7rbGmvBgoUlJR29zRAxTpaW+qBYkUFJfXNrV39/X393Q011aUFIJEahrb' +
    'QCK9nS11laVAkaKyaqDRIBGg0VWlYKOr6iFGd7U1QiwrqayDGN3d3gS3rAkkgmI03LK6yhKI0Y1tXRDL6qvAlgGNHib+AAAz' +
    'b32z3gEAAA==',
  'vbr.mp3':
    'H4sIAAAAAAACA/N0MWZhAAGTEM8QIyDNzsDA7JGak5PPEBIc7AoU4AcK+CSWpZla6hmZ6xkaGDAgwP/PEQfgnIjMvHSIegYB' +
    'BgaWGIZsMGgBgx4wmAIGcyBgKRisBYOtYLAXAo6BwTkwuAYG9yDgORh8B4P/YACyF+i4ZKDjjM2RHMagwtQAYbDENP3J3YLi' +
    '5o4jDPwWaTPifRgYmF4w/2OI21v19fX19bWJB5tOuBv4cHY8UpjgYxCxqbG9+eGHfxxsRg+ANv30dZhRL9zEt4JN/mSTDFu9' +
    'h+IlBQbXlWUNXIwNBwI0gIH05mn9/00r2L//aGWezcKk1K5p0SL4no1x6QENjygOSQ6Fjp0WbFYbhFhiJR6mct1o+989JWbJ' +
    'RTGF+J9Grh6cHt2C+f8N9ab7dB99Ut+0SGGF1vlPBwNCQxk4WHsY+P+tTTzAueijlrXfCoabjLMZeIxs2pynbyqTusrAyTSb' +
    'gVPO8UvP7s+fhE4xFAQ1MFd5c529W83FcJOhi4GzK+nM4siv/g5hPo6+rqsYOAVmM/Casnu+YPoIFjEGxegqhoJpDczRqgs+' +
    'L2GZ8/+zxZFrEjftDtXPWsiwGqxr1Sqgrd0MnGyOJ1JU9wkaXLoK1wo0cDUDl17DR5U5ApmpCOECMQemeUx/XPKknFy14IYI' +
    'dIMdJC5V6qrCuMrH8f9niSMXWSzC3jOeZWD0ZbjFeJuB/7Wvh9mM2pgKno2vLFlCOQtAaq4zzwi7z8AQp2nswrWUIYGVqZFh' +
    '/t8DVxT03r/+HPQhQxWk5j5UjaujD7NYA9+lQwxPD1jMsOD8kLEl4gLjUgeQmufMDGHnEhjiXO4qHJr/cBqriV+y/v+JRxxm' +
    'GKr//3PmxByQmk/MG8Jug+wycLn/62ATY/0PgYaYS4wry5nT0q6wsFwBqfnKbBD2mIFpkieLiqzQVFZn18ZJBy4fjHmZfCFL' +
    '9dyK70IQNQ4Qu35rIQIaCYDU/GA+AbFrFXYAUvONOQFiF141HmGnQHbhUfOD+QLIrjB8dv1hORH1HBgRjDjVaBz5L/JS7bTk' +
    'zAUsq8gHILuecUwwWlB5mIEBhxoA46psMpoEAAA=',
  'vorbis.ogg':
    'H4sIAAAAAAACA61Xe1RTRxqfIEJAalEjBEzboMESDFYwSKDQAykIRAIhySUEvFWQqyLGB+Sm7enSpZhQZZWDIYlK1SWaUBMa' +
    'tBFiC9WyVp5RUcKjMato1fruCyvt2t3u3KTa6vac9o+9Z+7M3G+++c33+N25c3PWrBEBL/DLtW/pRySiPfHqZ+Gk50mKjeXF' +
    'pRWEgFT1ikejC/W0ZlIOMRP8diYxdZtvQ8T05J9/czVO8cA8A0ezihSrY+MXxsQtjF60iFB/Ad7YhlUbS7DyJDi4Cg4udg/S' +
    '15cWe+aRpnraudxX80iADEAV3T+kp+pcPQJAIADcrUt7BO9rvHdVqwLTTwnerZ8QrLtFf4NX1L/7PqUskEsef2vw+OSlt+js' +
    'ktkAeINk6tTpxZej/bhkPbXbL3cvk8wlF8X76cqfT/DjTtKVgQtvXCr/6vjk8+RnpFMBDM0icpgSwhCVP9NIEdYym3cXD0T3' +
    '0ipOR/fRtwQk3DQ0ZMeYDA11Mf2HDg4X8KK6KaL1H3fnl1lib/yzTDBAXbU9uufXiuz2gw6AMsUnpIRAVrlBCbxej1t0UEXE' +
    'NH0npX8nrX8nI9PKWDbEGPyOBUvOrNhcURqCI672SteuStfruPNYpVOBS3dh0tdlhbtwyRiOPlncrtNJoGlefJ27qOcx1V7K' +
    'mg+8QAkRkssRdV9w1PPidasydYbMxuvS/ddL989fd8DXrQJIUIW4miJqv4iom5epM5Y23jDtj6htNpsPlJrN5sbm0j8oyWv7' +
    'IkGyF0ju3UzrzaXBGnrl545wH4A57RJQ0nfS7B8yzgxBH9nnFydJNPyLw8icR0kge8j3LW3wW1rOdzAUsMPIGWLzHX+yeAIL' +
    'vaFv5dZEPyJDVeCBndHDzPB/GFeGnZoRPRx2LVFTkEDeL8yPmZ/UHaoMPDl5qeLrx2QggcCl72yhvpFVHciNWLqZS1njD3v5' +
    '2dXGve9mV59LgiSxf3xs71tfH/d1JxlmMYD7iD71XB5TpSkm6FN+mqBPQAykz/SEW4aGrMhbhoNZMbcj2nXCZdHdlMIN0aMF' +
    'ZWfiJ0M1MT1P0qfa7QcMR1E9pA9Ezghzg7rp6HGLTJALdOUy0soZ6eWMTDWrX83uP5poh8WRyh8W5yLoiEI2/gAbf4CiD2Qr' +
    'bCg6iklHUdcodnHkafI853Y9A4CbGXVX3eVaRq0B6MNaAAghQsKpPciBsrrr+erwUvXqN3Vr3mx8f1vjTZJbJZlQIa6I2gOc' +
    '2qsZaqy08cs3zS/WHjCZzWsbIXv+kDzzA0Ot/qAegHOQPJspkDyEV17uCMe431BKdy6jt5yVeZQNfeTfzxqcjYni8BGfR0nw' +
    '7G+bEnsrEnsbEmEoYKe/4c+Thw0DG+7mC723bQvDT9lUfS3kFO2UIUQFewk+4d3Xwt5vKr4W37875Vr1UFrzXBi0GSAVet5D' +
    '7wms6It/0dhAib9hkAtDyXpjnXCNqa2g+HSE9oLQ8oyyTpgRdVBcHGVRDPMs4TZorBcN3iwlNN8b5MKNIjqDaaAUb4/vo6Vu' +
    'j75JLamJ9gmryE7ppanEkb7P4QLhZ9SKupRDTVvECenaLQJh+j64SwJfeE/Tn6ufTUreC6pS1OwzQ+zBo+zBicRcMZJDQUZm' +
    'JjnuZ4mQJIcYEcViEjFfaks8zyYeB9kIwkacsfwRPAlpxxwILpUjFxUy5zFUGrQhB8EKxWhhHCIZRaS2SolNtmJmGjIbIZRx' +
    'dATHXXIUnRQjCv6YFnPgMieOFUow6Q+xiOdRjjoVmOQYIh2VnccrUS12JQ5zTmKFY5XSY9oiOeqCypN8adDbTp0KEnLF7tRc' +
    'JAnRopC3Y3K0UIKO2WJHNCgBJUaleVAZlYzifARzajDXElSiQ6QPcIkOL4RmxMF1oZ245NiOVdBOKiqByKOViA5fMYoX7cZd' +
    'Y7HISKVIUXlFjqGfV45TV6PBdYN45Qqt7Eo+5vwBvxKsKxxTjVegKyQyJzXPuaTm4uSOogeVV/NxF3V1YVxHRzb17SLOhnGO' +
    '2RYlxwvzX7u45HZPzkc7xg+ZzIffay37qZn1sOMD18lND0+U/6X1zkMza86nka6TG+90lN89kfPj8rHgPGlQzYhOVQQNcqqK' +
    'TBc6Yj7p2Eg7bFnw2b1pO8YlNWbZHHuL6+Sih7Zv4Dxa54eLfeDGwoGE3C3w8SeYdsoP5DP6J1j2mWl2a2ouG2YjLReJ4i/m' +
    '8yeyRI5ESGIRnuYQo8scWaIJtmM48QybPyJHHGxMxObDEDgUaTA5I1pMiqNoEN+hTRuRY1AfPkryYETDIdQZCDUBoRCHFqKh' +
    '9gmxaCLV8T1MDiJCUBGCSSYSRd+n5sQmQX45YrERMSJdgjh0fBFMOyJzQgUd6rTx4UKiWBSyYExBFOdsRabDjTycmBNLIEM0' +
    '53eJI/chcmwOZCJMOxuR2BIHxQQy3MAccph2RJSXNtKGIQjuZCNSBea0QephxFxo9hJEpEAlto+tkS37SwesJrNtvdl8d8Am' +
    'u9N657btUKO1rNG8vsVs7rSW3TnBsttYZvOdxtZIe7N5wMaydyy02460tJa5mm8PdCywy6Xt6PgDWcftDtvhgdbDndb1d1rv' +
    '3bZucJ34ek8z6z0z0wWnWVmdNpnd+tL25lsXmlsuWE0d1nsdra1263rXAcKCjlaZuZkFHx9aWS4bxL17wXqvs5Xlssqmdd71' +
    'P3q4w2rphP2Wlgu2u65XCiU43Oe7qqaA5Co/rOlcvRYkUwBYGbBqe8paTfnZePIO4dl437CK6VyyqeRsCllvOB1PNho08b56' +
    'jYYLe8MFZNgrWAA/3F3wvNHlw9/WTYJs8QMGL0ClpTuyHDjmpAZBzsCMuJbUdEPmwHfIplo1yy0Zxdkw3FKb7KKkTkQMVKKc' +
    'GATRyeCLOs/dqPTqSDuM6YncTJsMjau5eojhsn318MRm1rcq/RGW9hvtCk7kOwB84+0Lmrzm5KVzmKHTWMReWg+3RqpBk8tj' +
    'HtQIecwejXC7H5Rsgl+vRfoASqh1LtgKN8K9FWfjbzxVPXWceqryBndTOfDOJ6tqPvAGJ+E6Skq1Wsg0ambCDZhYzKjpSyEb' +
    '3b3UoUymp7dZwPP09B4VIc/P+Kj3f6xIYP6z04HAb8nZI2p5Hid0+do+HqDHASCoje9haOp5GeHKQN51qvJsph+zPY/rb1H6' +
    'J6zdd7BeuMyi1fAy98AvfoReKSxghrcLY8h6pYBHDjNCY/WYgOsfrtEIM6PaxLx+ulJQ4GfSDhf4h2s1KUyTUi2MtLRreDzL' +
    'liEh09I+yuOFaXVCX6NBB0PTHsQrs7RnC5lRhlFhmUWbx2PuM8LVLO26gjKmMY/LtLQNEUvC0SgIusxiJPSMozxmuBGqEHqR' +
    'zHYNl2nUqrnrTHAgMkp5Tphp1OYRABpeBDSjINIEzzdrjaohXiacxotkGoeFkXrNTFhph4VlJkIW1T4sXGDS6Hg8E6S7/DI8' +
    '469MNao+L+3Rpl+GRze/CCjxBtSt9XuSm4B/QAnoInGrKUCQvzICvVkdODcjOCXo2eWczVe3zcm+ec7HrQn01LmMkild3mkq' +
    'OTjyUdfvaXq5jymXScQvia9P4Izzy2t6fNLf7fXN2Er+9TcHVLl/e7yTX/j1t4c4XRjq6X+b8Rw1ODgoKJgaFAzb4OCQqKWS' +
    'dRyvlzmzQmhTvOXHD0O9jJ3W4+PzMJsRgDx0A+eBF+eMv2CHG6rNG2j+3rjA55E85tBSt5wB6LtnJzwW+2/yBv9Ch6iELVdv' +
    'LSbErT6cM7WE+FM72X1KJj+W/oJNAU0/36I+oSsJ8SH8PdRHetoQDRkMzXNsn/JIvq4p1B2bQBLY1vs/2m1kMPDvGVefwN4Y' +
    '4o7lHg/2bw1hg5U/2S+RntD+6zLCkq6Kx1avu0wG99EhIq6LBl+a8jsByR9IDyDE2aS9X4ZyvMA+tQ/UrjryH0njjzdicr64' +
    '+bNM8DKzoQ0P+ITk9O6amuxqnlSM3+4Y75yc4w+ouwyv9bzTTM1jz5r6X78zIQYADwAA',
} as const

export type SampleName = keyof typeof PACKED

export const SAMPLE_NAMES = Object.keys(PACKED) as SampleName[]

/** The bytes of a sample. */
export function sample(name: SampleName): Buffer {
  return gunzipSync(Buffer.from(PACKED[name], 'base64'))
}
